/** From what came over the wire to a typed view; whatever is not exactly that becomes an error, never a half-filled view. */

import type { IdentityState, IIdentityView, INotice } from './tokens';

type Fields = Record<string, unknown>;

/** The view in `data`, or null when a field is missing or of another type. */
export function parseView(data: unknown): IIdentityView | null {
  if (!isFields(data)) {
    return null;
  }
  const {
    name,
    kind,
    account,
    arn,
    session_name,
    source,
    expires_at,
    long_term_key,
    tone,
    warnings,
    read_at
  } = data;
  if (
    !isText(name) ||
    !isText(kind) ||
    !isText(account) ||
    !isText(arn) ||
    !isText(source) ||
    !isText(read_at) ||
    !(session_name === null || session_name === undefined || isText(session_name)) ||
    !(expires_at === null || (isText(expires_at) && !Number.isNaN(Date.parse(expires_at)))) ||
    typeof long_term_key !== 'boolean' ||
    !(tone === 'ok' || tone === 'warn' || tone === 'error') ||
    !(Array.isArray(warnings) && warnings.every(isText))
  ) {
    return null;
  }
  return {
    name,
    kind,
    account,
    arn,
    session_name: session_name ?? null,
    source,
    expires_at,
    long_term_key,
    tone,
    warnings,
    notices: parseNotices(data.notices),
    read_at
  };
}

/** None where they are missing, as from a kernel whose sm_access is older; the warnings are there in any case. */
function parseNotices(data: unknown): INotice[] {
  return (Array.isArray(data) ? data : []).filter(
    (each: unknown): each is INotice =>
      isFields(each) && isText(each.text) && Array.isArray(each.steps) && each.steps.every(isText)
  );
}

/** What a comm message says. `misunderstood` is the message of the error for anything else. */
export function parseAnswer(data: unknown, misunderstood: string): IdentityState {
  if (isFields(data) && data.type === 'identity') {
    const view = parseView(data.view);
    if (view) {
      return { kind: 'identity', view };
    }
  }
  if (isFields(data) && data.type === 'error' && isText(data.message)) {
    return { kind: 'error', message: data.message };
  }
  return { kind: 'error', message: misunderstood };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
