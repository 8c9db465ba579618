/** A kernel and a session as the model sees them: real Lumino signals, and a comm whose other end is the test. */

import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';

import type { IActiveSession } from '../active';
import type { IIdentityView } from '../tokens';

export const NOW = Date.parse('2026-11-23T17:00:00Z');

export function view(changes: Partial<IIdentityView> = {}): IIdentityView {
  return {
    name: 'acme-ds-notebooks',
    kind: 'assumed-role',
    account: '111122223333',
    arn: 'arn:aws:sts::111122223333:assumed-role/acme-ds-notebooks/SageMaker',
    session_name: 'SageMaker',
    source: 'temporary credentials from the notebook',
    expires_at: '2026-11-23T17:52:00Z',
    long_term_key: false,
    tone: 'ok',
    warnings: [],
    notices: [],
    read_at: '2026-11-23T17:00:00Z',
    ...changes
  };
}

export class FakeComm {
  isDisposed = false;
  opened = false;
  closed = false;
  readonly sent: unknown[] = [];
  onMsg: (message: { content: { data: unknown } }) => void = () => undefined;
  onClose: (message: unknown) => void = () => undefined;
  subshellStarted?: Promise<void>;

  open(): void {
    this.opened = true;
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(): void {
    this.closed = true;
    this.onClose({});
    this.dispose();
  }

  dispose(): void {
    this.isDisposed = true;
  }

  /** The kernel says something. */
  answer(data: unknown): void {
    this.onMsg({ content: { data } });
  }

  /** The kernel has no such target, or unloads the extension. */
  hangUp(): void {
    this.onClose({});
    this.dispose();
  }
}

export class FakeKernel {
  isDisposed = false;
  status: Kernel.Status = 'idle';
  language = 'python';
  supportsSubshells = false;
  failure: Error | null = null;
  subshell?: Promise<void>;
  readonly comms: FakeComm[] = [];

  get info(): Promise<unknown> {
    return Promise.resolve({ language_info: { name: this.language } });
  }

  get comm(): FakeComm {
    const last = this.comms[this.comms.length - 1];
    if (!last) {
      throw new Error('Nobody has called this kernel.');
    }
    return last;
  }

  createComm(target: string): FakeComm {
    if (this.failure) {
      throw this.failure;
    }
    expect(target).toBe('sm_access');
    const comm = new FakeComm();
    if (this.subshell) {
      comm.subshellStarted = this.subshell;
    }
    this.comms.push(comm);
    return comm;
  }
}

export class FakeSession {
  readonly kernelChanged = new Signal<this, unknown>(this);
  readonly statusChanged = new Signal<this, Kernel.Status>(this);
  readonly iopubMessage = new Signal<this, unknown>(this);
  readonly disposed = new Signal<this, void>(this);
  session: { kernel: FakeKernel | null };

  constructor(kernel: FakeKernel | null) {
    this.session = { kernel };
  }

  replaceKernel(kernel: FakeKernel | null): void {
    this.session = { kernel };
    this.kernelChanged.emit(undefined);
  }

  turn(...statuses: Kernel.Status[]): void {
    for (const status of statuses) {
      if (this.session.kernel) {
        this.session.kernel.status = status;
      }
      this.statusChanged.emit(status);
    }
  }

  /** A cell is run to its end. */
  run(code: string, id = 'cell-1'): void {
    const parent_header = { msg_id: id };
    this.iopubMessage.emit({
      header: { msg_type: 'execute_input' },
      parent_header,
      content: { code }
    });
    this.iopubMessage.emit({
      header: { msg_type: 'status' },
      parent_header,
      content: { execution_state: 'idle' }
    });
  }
}

export class FakeActive implements IActiveSession {
  readonly changed = new Signal<this, void>(this);
  context: ISessionContext | null = null;

  turnTo(session: FakeSession | null): void {
    this.context = session as unknown as ISessionContext | null;
    this.changed.emit();
  }
}

/** Lets every promise and every timer that is already due run, under Jest's clock. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await jest.advanceTimersByTimeAsync(0);
  }
}
