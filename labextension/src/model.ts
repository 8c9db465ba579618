/** Who the active kernel is to AWS, as that kernel itself says over a comm. */

import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';

import type { IActiveSession } from './active';
import { GONE, leave, subshellReady } from './subshell';
import type { IdentityState, IKernelIdentity } from './tokens';
import { parseAnswer } from './view';

/** The comm target that `%load_ext sm_access` registers. */
export const COMM_TARGET = 'sm_access';

/** How often whatever counts down is recomputed. */
export const TICK_MS = 15_000;

/** From here on the credentials are asked for again, because the SDK may have renewed them; at most once a minute. */
const NEAR_END_MS = 10 * 60_000;
const ASK_AGAIN_MS = 60_000;

/** An idle kernel that takes longer than this to answer is not waited for. */
const SILENCE_MS = 30_000;

const ANSWERING: ReadonlySet<Kernel.Status> = new Set(['idle', 'busy']);

/** What the model says when the kernel does not. */
export interface IWords {
  /** The answer is not an identity. */
  readonly misunderstood: string;
  /** There is no answer. */
  readonly silent: string;
}

/**
 * Follows the active session through kernel changes, restarts and closing.
 *
 * INVARIANT: a state never outlives the kernel it was read from. Everything that comes from an earlier kernel, comm or
 * attempt is dropped: handlers compare with `_attempt`, which is replaced by every new start.
 */
export class KernelIdentityModel implements IKernelIdentity {
  constructor(active: IActiveSession, words: IWords) {
    this._active = active;
    this._words = words;
    active.changed.connect(this._onActiveChanged, this);
    this._timer = setInterval(() => this._tick(), TICK_MS);
    this._onActiveChanged();
  }

  get state(): IdentityState {
    return this._state;
  }

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get ticked(): ISignal<this, void> {
    return this._ticked;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearInterval(this._timer);
    this._hangUp();
    this._context = null;
    Signal.clearData(this);
  }

  refresh(): void {
    if (this._comm && this._opened) {
      this._ask();
    } else {
      this._start();
    }
  }

  private _onActiveChanged(): void {
    const { context } = this._active;
    if (context === this._context) {
      return;
    }
    this._unfollow();
    this._context = context;
    if (context) {
      context.kernelChanged.connect(this._start, this);
      context.statusChanged.connect(this._onStatus, this);
      context.iopubMessage.connect(this._onIOPub, this);
      context.disposed.connect(this._onContextDisposed, this);
    }
    this._start();
  }

  private _onContextDisposed(): void {
    this._unfollow();
    this._start();
  }

  private _unfollow(): void {
    const context = this._context;
    this._context = null;
    if (context) {
      context.kernelChanged.disconnect(this._start, this);
      context.statusChanged.disconnect(this._onStatus, this);
      context.iopubMessage.disconnect(this._onIOPub, this);
      context.disposed.disconnect(this._onContextDisposed, this);
    }
  }

  /** Forget what is known and begin with the kernel that is there now. */
  private _start(): void {
    this._hangUp();
    const kernel = this._context?.session?.kernel ?? null;
    if (!kernel || kernel.status === 'dead') {
      this._set({ kind: 'no-kernel' });
      return;
    }
    this._set({ kind: 'connecting' });
    if (ANSWERING.has(kernel.status)) {
      void this._call(kernel);
    }
  }

  private _onStatus(_: ISessionContext, status: Kernel.Status): void {
    if (GONE.has(status)) {
      this._hangUp();
      this._set({ kind: status === 'dead' ? 'no-kernel' : 'connecting' });
    } else if (ANSWERING.has(status) && this._state.kind === 'connecting' && !this._attempt) {
      this._start();
    }
  }

  /**
   * A kernel without the extension is not asked after every cell, since it logs each such question; only after a cell
   * that names it.
   */
  private _onIOPub(_: ISessionContext, message: KernelMessage.IMessage): void {
    if (this._state.kind !== 'not-loaded') {
      return;
    }
    const type = message.header.msg_type;
    if (type === 'execute_input') {
      const { code } = message.content as KernelMessage.IExecuteInputMsg['content'];
      this._loading = code.includes(COMM_TARGET) ? message.parent_header : null;
    } else if (type === 'status' && this._loading) {
      const { execution_state } = message.content as KernelMessage.IStatusMsg['content'];
      const parent = message.parent_header as Partial<KernelMessage.IHeader>;
      const cell = this._loading as Partial<KernelMessage.IHeader>;
      if (execution_state === 'idle' && parent.msg_id === cell.msg_id) {
        this._start();
      }
    }
  }

  private async _call(kernel: Kernel.IKernelConnection): Promise<void> {
    const attempt = (this._attempt = {});
    const current = () => this._attempt === attempt;
    try {
      await this._parting;
      if (!current()) {
        return;
      }
      const info = await kernel.info;
      if (!current()) {
        return;
      }
      if (info.language_info.name !== 'python') {
        this._set({ kind: 'not-python' });
        return;
      }
      const comm = (this._comm = kernel.createComm(COMM_TARGET));
      this._kernel = kernel;
      await subshellReady(kernel, comm);
      if (!current()) {
        return; // whoever replaced the attempt has hung up
      }
      comm.onMsg = message => {
        if (current()) {
          this._asking = false;
          this._set(parseAnswer(message.content.data, this._words.misunderstood));
        }
      };
      comm.onClose = () => {
        if (current()) {
          this._comm = null;
          this._opened = false;
          this._set({ kind: 'not-loaded' });
        }
      };
      this._asking = true;
      this._askedAt = Date.now();
      this._opened = true;
      comm.open();
    } catch (reason) {
      if (current()) {
        this._hangUp();
        this._set({
          kind: 'error',
          message: reason instanceof Error ? reason.message : String(reason)
        });
      }
    }
  }

  private _ask(): void {
    if (this._asking && Date.now() - this._askedAt < ASK_AGAIN_MS) {
      return;
    }
    this._asking = true;
    this._askedAt = Date.now();
    this._comm?.send({ type: 'identity' });
  }

  private _hangUp(): void {
    const comm = this._comm;
    const kernel = this._kernel;
    const opened = this._opened;
    this._attempt = null;
    this._comm = null;
    this._kernel = null;
    this._opened = false;
    this._asking = false;
    this._loading = null;
    if (comm && kernel) {
      this._parting = Promise.all([this._parting, leave(kernel, comm, opened)]);
    }
  }

  private _tick(): void {
    if (this._state.kind === 'identity' && this._comm) {
      const { expires_at } = this._state.view;
      const left = expires_at === null ? Infinity : Date.parse(expires_at) - Date.now();
      if (left < NEAR_END_MS && Date.now() - this._askedAt >= ASK_AGAIN_MS) {
        this._ask();
      }
    }
    if (this._state.kind === 'connecting' && this._opened && this._kernel?.status === 'idle') {
      if (Date.now() - this._askedAt >= SILENCE_MS) {
        this._hangUp();
        this._set({ kind: 'error', message: this._words.silent });
      }
    }
    this._ticked.emit();
  }

  private _set(state: IdentityState): void {
    if (this._isDisposed) {
      return;
    }
    this._state = state;
    this._stateChanged.emit();
  }

  private readonly _active: IActiveSession;
  private readonly _words: IWords;
  private readonly _timer: ReturnType<typeof setInterval>;
  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _ticked = new Signal<this, void>(this);
  private _state: IdentityState = { kind: 'no-kernel' };
  private _context: ISessionContext | null = null;
  private _kernel: Kernel.IKernelConnection | null = null;
  private _comm: Kernel.IComm | null = null;
  private _opened = false;
  private _attempt: object | null = null;
  private _parting: Promise<unknown> = Promise.resolve();
  private _asking = false;
  private _askedAt = 0;
  private _loading: KernelMessage.IMessage['parent_header'] | null = null;
  private _isDisposed = false;
}
