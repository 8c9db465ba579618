import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';

import { Card, type ServerAnswer } from '../components/card';
import { Status } from '../components/status';
import type { IdentityState, IIdentityView } from '../tokens';
import { NOW, view } from './doubles';

const trans = nullTranslator.load('sm_access');
const MINUTE = 60_000;

let host: HTMLElement;
let root: Root;

beforeEach(() => {
  host = document.body.appendChild(document.createElement('div'));
  root = createRoot(host);
});

afterEach(() => {
  act(() => root.unmount());
  host.remove();
});

function show(element: React.ReactElement): void {
  act(() => root.render(element));
}

function status(state: IdentityState, now = NOW, onClick = () => undefined): HTMLButtonElement {
  show(<Status state={state} now={now} trans={trans} onClick={onClick} />);
  const button = host.querySelector('button');
  if (!button) {
    throw new Error('no button');
  }
  return button;
}

const identity = (changes: Partial<IIdentityView> = {}): IdentityState => ({
  kind: 'identity',
  view: view(changes)
});

describe('the status-bar item', () => {
  it('shows the role and the time left, and says the rest as a sentence', () => {
    const button = status(identity());
    expect(button.textContent).toBe('acme-ds-notebooks · 52 min');
    expect(button.dataset.tone).toBe('ok');
    expect(button.title).toBe(
      'This kernel is assumed role acme-ds-notebooks in account 111122223333; ' +
        'temporary credentials from the notebook; 52 min left.'
    );
    expect(button.getAttribute('aria-label')).toBe(button.title);
  });

  it.each([
    ['2026-11-23T19:05:30Z', '2 h 5 min', 'ok'],
    ['2026-11-23T17:10:00Z', '10 min', 'ok'],
    ['2026-11-23T17:09:59Z', '9 min', 'warn'],
    ['2026-11-23T17:00:59Z', 'under 1 min', 'warn'],
    ['2026-11-23T17:00:00Z', 'expired', 'error'],
    ['2026-11-23T16:00:00Z', 'expired', 'error']
  ])('with an end at %s shows %s in tone %s', (expires_at, left, tone) => {
    const button = status(identity({ expires_at }));
    expect(button.textContent).toBe(`acme-ds-notebooks · ${left}`);
    expect(button.dataset.tone).toBe(tone);
  });

  it('counts down with the clock, from the same view', () => {
    expect(status(identity(), NOW + 43 * MINUTE).textContent).toContain('9 min');
    expect(status(identity(), NOW + 53 * MINUTE).textContent).toContain('expired');
  });

  it('shows no countdown when no end is known', () => {
    expect(status(identity({ expires_at: null })).textContent).toBe('acme-ds-notebooks');
  });

  it('is red for a long-term key whatever the view says, and never hides a warning', () => {
    const button = status(
      identity({ long_term_key: true, expires_at: null, warnings: ['A long-term key is in use.'] })
    );
    expect(button.textContent).toBe('acme-ds-notebooks · long-term key');
    expect(button.dataset.tone).toBe('error');
    expect(button.title).toContain('A long-term key is in use.');
  });

  it('keeps the tone of the view when nothing makes it worse', () => {
    expect(status(identity({ tone: 'warn' })).dataset.tone).toBe('warn');
    expect(status(identity({ tone: 'error' })).dataset.tone).toBe('error');
  });

  it('says what to type where the extension is not loaded', () => {
    const button = status({ kind: 'not-loaded' });
    expect(button.title).toContain('%load_ext sm_access');
    expect(button.dataset.tone).toBe('neutral');
  });

  it('is a button that opens the card', () => {
    const onClick = jest.fn();
    const button = status(identity(), NOW, onClick);
    act(() => button.click());
    expect(onClick).toHaveBeenCalledTimes(1);
  });
});

describe('the card', () => {
  function card(state: IdentityState, server: ServerAnswer = null): string {
    show(<Card state={state} server={server} now={NOW} trans={trans} />);
    return host.textContent;
  }

  it('holds account, ARN, source, end and warnings', () => {
    const text = card(identity({ warnings: ['First.', 'Second.'] }));
    for (const part of [
      view().account,
      view().arn,
      view().source,
      'SageMaker',
      '(52 min)',
      'First.',
      'Second.'
    ]) {
      expect(text).toContain(part);
    }
  });

  it('holds what to do about a warning, step by step, and its commands as code', () => {
    card(
      identity({
        warnings: ['A key is in use.', 'Second.'],
        notices: [
          { text: 'A key is in use.', steps: ['End it.', 'Run `aws configure sso`.'] },
          { text: 'not a warning', steps: ['Nothing.'] }
        ]
      })
    );
    const steps = [...host.querySelectorAll('ol > li')].map(each => each.textContent);
    expect(steps).toEqual(['End it.', 'Run aws configure sso.']);
    expect(host.querySelector('ol code')?.textContent).toBe('aws configure sso');
    expect(host.textContent).toContain('Second.');
  });

  it('warns when the server is somebody else', () => {
    const other = view({ arn: 'arn:aws:sts::111122223333:assumed-role/server/s' });
    expect(card(identity(), { view: other })).toContain(
      `Uses another identity than this kernel: ${other.arn}`
    );
    expect(card(identity(), { view: view() })).toContain('Uses the same identity as this kernel.');
    expect(card(identity(), { problem: 'No credentials.' })).toContain('No credentials.');
    expect(card({ kind: 'not-loaded' }, { view: other })).toContain('%load_ext sm_access');
  });

  it('shows hostile words as text', () => {
    const hostile = '<img src=x onerror="alert(1)">';
    card(
      identity({
        name: hostile,
        arn: hostile,
        source: hostile,
        session_name: hostile,
        warnings: [hostile],
        notices: [{ text: hostile, steps: [hostile] }]
      }),
      { problem: hostile }
    );
    expect(host.querySelector('img')).toBeNull();
    expect(host.textContent.split(hostile)).toHaveLength(8);
  });
});
