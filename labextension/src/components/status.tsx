/** The status-bar item: a shield, the role, and how long its credentials last. */

import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { shieldIcon } from '../icons';
import type { IdentityState, IKernelIdentity } from '../tokens';
import { describe } from '../wording';

export interface IStatusProps {
  readonly state: IdentityState;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly trans: TranslationBundle;
  readonly onClick: () => void;
}

export function Status({ state, now, trans, onClick }: IStatusProps): React.JSX.Element {
  const { label, sentence, tone } = describe(state, now, trans);
  return (
    <button
      type="button"
      className="jp-smAccess-status"
      data-tone={tone}
      title={sentence}
      aria-label={sentence}
      aria-haspopup="dialog"
      onClick={onClick}
    >
      <shieldIcon.react tag="span" className="jp-smAccess-status-icon" height="12px" />
      <span>{label}</span>
    </button>
  );
}

export class StatusItem extends ReactWidget {
  constructor(identity: IKernelIdentity, trans: TranslationBundle, onClick: () => void) {
    super();
    this._identity = identity;
    this._trans = trans;
    this._onClick = onClick;
    this.addClass('jp-smAccess-statusItem');
  }

  protected override render(): React.JSX.Element {
    return (
      <UseSignal signal={this._identity.stateChanged}>
        {() => (
          <UseSignal signal={this._identity.ticked}>
            {() => (
              <Status
                state={this._identity.state}
                now={Date.now()}
                trans={this._trans}
                onClick={this._onClick}
              />
            )}
          </UseSignal>
        )}
      </UseSignal>
    );
  }

  private readonly _identity: IKernelIdentity;
  private readonly _trans: TranslationBundle;
  private readonly _onClick: () => void;
}
