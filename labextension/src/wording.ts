/** The few words that the front end has of its own: how long is left, and what to do when there is no identity. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { IdentityState, IIdentityView, Tone } from './tokens';

const MINUTE_MS = 60_000;

/** Below this much time left the tone is at least `warn`. */
export const SHORT_MS = 10 * MINUTE_MS;

export interface IDescription {
  /** What the status bar shows. */
  readonly label: string;
  /** The same as a whole sentence, for the tooltip and for screen readers. */
  readonly sentence: string;
  readonly tone: Tone;
}

/** `state` in words, at the instant `now` (milliseconds since the epoch). */
export function describe(
  state: IdentityState,
  now: number,
  trans: TranslationBundle
): IDescription {
  switch (state.kind) {
    case 'identity':
      return describeView(state.view, now, trans);
    case 'error':
      return {
        label: trans.__('AWS identity not readable'),
        sentence: trans.__('The AWS identity of this kernel could not be read: %1', state.message),
        tone: 'error'
      };
    case 'not-loaded':
      return {
        label: trans.__('sm_access not loaded'),
        sentence: trans.__(
          'sm_access is not loaded in this kernel. To see its AWS identity here, run %load_ext sm_access in a cell.'
        ),
        tone: 'neutral'
      };
    case 'connecting':
      return {
        label: trans.__('waiting for the kernel'),
        sentence: trans.__(
          'The AWS identity of this kernel is shown as soon as the kernel answers.'
        ),
        tone: 'neutral'
      };
    case 'not-python':
      return {
        label: trans.__('not a Python kernel'),
        sentence: trans.__('The AWS identity can only be read from a Python kernel.'),
        tone: 'neutral'
      };
    case 'no-kernel':
      return {
        label: trans.__('no kernel'),
        sentence: trans.__('No notebook or console with a running kernel is open.'),
        tone: 'neutral'
      };
  }
}

function describeView(view: IIdentityView, now: number, trans: TranslationBundle): IDescription {
  const left = timeLeft(view, now);
  const remaining = left === null ? null : describeTimeLeft(left, trans);
  const label = view.long_term_key
    ? trans.__('%1 · long-term key', view.name)
    : remaining === null
      ? view.name
      : trans.__('%1 · %2', view.name, remaining);
  const who = trans.__(
    'This kernel is %1 %2 in account %3',
    kindWords(view),
    view.name,
    view.account
  );
  const end = left === null ? null : endSentence(left, trans);
  const sentence = `${[who, view.source, end].filter(part => part).join('; ')}.`;
  return { label, sentence: [sentence, ...view.warnings].join(' '), tone: toneAt(view, now) };
}

/** The tone of a view that was right when it was read and has aged since. */
export function toneAt(view: IIdentityView, now: number): Tone {
  const left = timeLeft(view, now);
  if (view.long_term_key || view.tone === 'error' || (left !== null && left <= 0)) {
    return 'error';
  }
  return view.tone === 'warn' || (left !== null && left < SHORT_MS) ? 'warn' : 'ok';
}

/** Milliseconds until the credentials end; null when no end is known. */
export function timeLeft(view: IIdentityView, now: number): number | null {
  return view.expires_at === null ? null : Date.parse(view.expires_at) - now;
}

/** `2 h 5 min`, `52 min`, `under 1 min` or `expired`. */
export function describeTimeLeft(left: number, trans: TranslationBundle): string {
  if (left <= 0) {
    return trans.__('expired');
  }
  const minutes = Math.floor(left / MINUTE_MS);
  if (minutes < 1) {
    return trans.__('under 1 min');
  }
  return minutes < 60
    ? trans.__('%1 min', minutes)
    : trans.__('%1 h %2 min', Math.floor(minutes / 60), minutes % 60);
}

/** `assumed role` for `assumed-role`. */
export function kindWords(view: IIdentityView): string {
  return view.kind.replace(/-/g, ' ');
}

/** An instant of the wire in the reader's own time zone, which is named. */
export function localTime(instant: string): string {
  return new Date(instant).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
}

function endSentence(left: number, trans: TranslationBundle): string {
  return left <= 0
    ? trans.__('the credentials have expired')
    : trans.__('%1 left', describeTimeLeft(left, trans));
}
