/** The session that the person is working with: that of the notebook or console that was active last. */

import type { ISessionContext } from '@jupyterlab/apputils';
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

/** The part of a notebook or console tracker that matters here. */
export interface ISessionTracker {
  readonly currentWidget: { readonly sessionContext: ISessionContext } | null;
  readonly currentChanged: ISignal<unknown, unknown>;
}

/** A session context that is replaced when the person turns to another notebook or console. */
export interface IActiveSession {
  readonly context: ISessionContext | null;
  readonly changed: ISignal<IActiveSession, void>;
}

/** Follows several trackers; a file browser or a terminal in between changes nothing. */
export class ActiveSession implements IActiveSession, IDisposable {
  constructor(trackers: readonly ISessionTracker[]) {
    this._trackers = trackers;
    for (const tracker of trackers) {
      tracker.currentChanged.connect(this._onCurrentChanged, this);
      this._context ??= tracker.currentWidget?.sessionContext ?? null;
    }
  }

  get context(): ISessionContext | null {
    return this._context;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._context = null;
      Signal.clearData(this);
    }
  }

  private _onCurrentChanged(sender: unknown): void {
    const first = this._trackers.find(tracker => tracker === sender);
    const widget =
      first?.currentWidget ?? this._trackers.find(tracker => tracker.currentWidget)?.currentWidget;
    const context = widget?.sessionContext ?? null;
    if (context !== this._context) {
      this._context = context;
      this._changed.emit();
    }
  }

  private readonly _trackers: readonly ISessionTracker[];
  private readonly _changed = new Signal<this, void>(this);
  private _context: ISessionContext | null = null;
  private _isDisposed = false;
}
