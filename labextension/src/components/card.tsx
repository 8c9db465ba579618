/** The identity card: everything the status bar has no room for, and whether the server is somebody else. */

import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IdentityState, IIdentityView, IKernelIdentity } from '../tokens';
import { describe, describeTimeLeft, kindWords, localTime, timeLeft, toneAt } from '../wording';

/** What is known about the server's own identity. */
export type ServerAnswer = { readonly view: IIdentityView } | { readonly problem: string } | null;

export interface ICardProps {
  readonly state: IdentityState;
  readonly server: ServerAnswer;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly trans: TranslationBundle;
}

export function Card({ state, server, now, trans }: ICardProps): React.JSX.Element {
  return (
    <div className="jp-smAccess-card">
      {state.kind === 'identity' ? (
        <Identity view={state.view} now={now} trans={trans} />
      ) : (
        <p>{describe(state, now, trans).sentence}</p>
      )}
      <Server
        kernel={state.kind === 'identity' ? state.view : null}
        answer={server}
        trans={trans}
      />
    </div>
  );
}

function Identity(props: {
  view: IIdentityView;
  now: number;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { view, now, trans } = props;
  const left = timeLeft(view, now);
  const end =
    view.expires_at === null || left === null
      ? trans.__('no end known')
      : trans.__('%1 (%2)', localTime(view.expires_at), describeTimeLeft(left, trans));
  return (
    <>
      {view.warnings.length > 0 && (
        <ul className="jp-smAccess-card-notes" data-tone={toneAt(view, now)}>
          {view.warnings.map(warning => (
            <li key={warning}>
              {warning}
              <Steps steps={view.notices.find(({ text }) => text === warning)?.steps ?? []} />
            </li>
          ))}
        </ul>
      )}
      <dl>
        <dt>{trans.__('Name')}</dt>
        <dd>{trans.__('%1 (%2)', view.name, kindWords(view))}</dd>
        <dt>{trans.__('Account')}</dt>
        <dd>{view.account}</dd>
        <dt>{trans.__('ARN')}</dt>
        <dd>
          <code>{view.arn}</code>
        </dd>
        {view.session_name !== null && (
          <>
            <dt>{trans.__('Session')}</dt>
            <dd>{view.session_name}</dd>
          </>
        )}
        <dt>{trans.__('Credentials')}</dt>
        <dd>{view.source}</dd>
        <dt>{trans.__('Expires')}</dt>
        <dd>{end}</dd>
        <dt>{trans.__('Read')}</dt>
        <dd>{localTime(view.read_at)}</dd>
      </dl>
    </>
  );
}

function Steps({ steps }: { steps: readonly string[] }): React.JSX.Element | null {
  return steps.length === 0 ? null : (
    <ol>
      {steps.map(step => (
        <li key={step}>{withCode(step)}</li>
      ))}
    </ol>
  );
}

/** Text nodes, and what stands between backticks as code. */
function withCode(text: string): React.ReactNode[] {
  return text.split('`').map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part));
}

function Server(props: {
  kernel: IIdentityView | null;
  answer: ServerAnswer;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { kernel, answer, trans } = props;
  return (
    <section>
      <h3>{trans.__('The Jupyter server itself')}</h3>
      <p>{serverWords(kernel, answer, trans)}</p>
    </section>
  );
}

function serverWords(
  kernel: IIdentityView | null,
  answer: ServerAnswer,
  trans: TranslationBundle
): string {
  if (answer === null) {
    return trans.__('Asking the server …');
  }
  if ('problem' in answer) {
    return trans.__('Its identity could not be read: %1', answer.problem);
  }
  const { view } = answer;
  if (kernel?.arn === view.arn) {
    return trans.__('Uses the same identity as this kernel.');
  }
  return kernel
    ? trans.__('Uses another identity than this kernel: %1', view.arn)
    : trans.__('Uses the identity %1', view.arn);
}

/** The card as the body of a dialog; it lives on while the identity changes under it. */
export class CardBody extends ReactWidget {
  constructor(
    identity: IKernelIdentity,
    askServer: () => Promise<IIdentityView>,
    trans: TranslationBundle
  ) {
    super();
    this._identity = identity;
    this._trans = trans;
    askServer().then(
      view => this._hear({ view }),
      (reason: unknown) =>
        this._hear({ problem: reason instanceof Error ? reason.message : String(reason) })
    );
  }

  private _hear(answer: ServerAnswer): void {
    if (!this.isDisposed) {
      this._server = answer;
      this.update();
    }
  }

  protected override render(): React.JSX.Element {
    return (
      <UseSignal signal={this._identity.stateChanged}>
        {() => (
          <UseSignal signal={this._identity.ticked}>
            {() => (
              <Card
                state={this._identity.state}
                server={this._server}
                now={Date.now()}
                trans={this._trans}
              />
            )}
          </UseSignal>
        )}
      </UseSignal>
    );
  }

  private readonly _identity: IKernelIdentity;
  private readonly _trans: TranslationBundle;
  private _server: ServerAnswer = null;
}
