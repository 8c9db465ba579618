/** What the other plugins may rely on: the identity of the active notebook's or console's kernel. */

import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

/** How much attention an identity needs. `neutral` is for states that hold no identity. */
export type Tone = 'ok' | 'warn' | 'error' | 'neutral';

/** A warning, and what to do about it step by step; what stands between backticks is code. */
export interface INotice {
  readonly text: string;
  readonly steps: readonly string[];
}

/** The identity view as the kernel and the server send it: words and values, never a secret. */
export interface IIdentityView {
  readonly name: string;
  readonly kind: string;
  readonly account: string;
  readonly arn: string;
  readonly session_name: string | null;
  /** A sentence part that says which credentials are in use. */
  readonly source: string;
  /** ISO 8601, or null when the credentials have no known end. */
  readonly expires_at: string | null;
  readonly long_term_key: boolean;
  readonly tone: Exclude<Tone, 'neutral'>;
  readonly warnings: readonly string[];
  /** What to do about warnings: those that have steps, under the same text. */
  readonly notices: readonly INotice[];
  /** ISO 8601. */
  readonly read_at: string;
}

/** What is known about the kernel's identity now. */
export type IdentityState =
  | { readonly kind: 'no-kernel' }
  | { readonly kind: 'not-python' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'not-loaded' }
  | { readonly kind: 'identity'; readonly view: IIdentityView }
  | { readonly kind: 'error'; readonly message: string };

/** The identity of the kernel that the person is working with. */
export interface IKernelIdentity extends IDisposable {
  readonly state: IdentityState;
  /** `state` was replaced. */
  readonly stateChanged: ISignal<IKernelIdentity, void>;
  /** Time has passed: whatever counts down recomputes. */
  readonly ticked: ISignal<IKernelIdentity, void>;
  /** Ask the kernel again. */
  refresh(): void;
}

export const IKernelIdentity = new Token<IKernelIdentity>(
  'sm-access:IKernelIdentity',
  'The AWS identity of the kernel behind the active notebook or console.'
);

export const CommandIDs = {
  showIdentity: 'sm-access:show-identity'
} as const;
