import type { ISessionContext } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';

import { ActiveSession } from '../active';

class FakeTracker {
  readonly currentChanged = new Signal<this, unknown>(this);
  currentWidget: { sessionContext: ISessionContext } | null = null;

  turnTo(context: ISessionContext | null): void {
    this.currentWidget = context && { sessionContext: context };
    this.currentChanged.emit(this.currentWidget);
  }
}

const context = (name: string) => ({ name }) as unknown as ISessionContext;

it('follows whichever notebook or console was active last', () => {
  const [notebooks, consoles] = [new FakeTracker(), new FakeTracker()];
  const active = new ActiveSession([notebooks, consoles]);
  const changed = jest.fn();
  active.changed.connect(changed);
  const [first, second] = [context('notebook'), context('console')];

  notebooks.turnTo(first);
  expect(active.context).toBe(first);
  consoles.turnTo(second);
  expect(active.context).toBe(second);
  notebooks.turnTo(first);
  expect(active.context).toBe(first);
  notebooks.turnTo(first);
  expect(changed).toHaveBeenCalledTimes(3);

  notebooks.turnTo(null);
  expect(active.context).toBe(second);
  consoles.turnTo(null);
  expect(active.context).toBeNull();
});

it('begins with what is open already, and ends when disposed', () => {
  const tracker = new FakeTracker();
  tracker.turnTo(context('open'));
  const active = new ActiveSession([tracker]);
  expect(active.context).not.toBeNull();
  active.dispose();
  tracker.turnTo(context('later'));
  expect(active.context).toBeNull();
});
