import { KernelIdentityModel, TICK_MS } from '../model';
import type { IdentityState } from '../tokens';
import { FakeActive, FakeKernel, FakeSession, NOW, settled, view } from './doubles';

let active: FakeActive;
let kernel: FakeKernel;
let session: FakeSession;
let model: KernelIdentityModel;

beforeEach(() => {
  jest.useFakeTimers({ now: NOW });
  active = new FakeActive();
  kernel = new FakeKernel();
  session = new FakeSession(kernel);
  model = new KernelIdentityModel(active, { misunderstood: 'not understood', silent: 'no answer' });
});

afterEach(() => {
  model.dispose();
  jest.useRealTimers();
});

async function follow(changes = {}): Promise<void> {
  active.turnTo(session);
  await settled();
  kernel.comm.answer({ type: 'identity', view: view(changes) });
}

function nameOf(state: IdentityState): string {
  return state.kind === 'identity' ? state.view.name : state.kind;
}

describe('the identity of the active kernel', () => {
  it('is unknown without a kernel', () => {
    expect(model.state).toEqual({ kind: 'no-kernel' });
    active.turnTo(new FakeSession(null));
    expect(model.state).toEqual({ kind: 'no-kernel' });
  });

  it('is what the kernel answers over the comm', async () => {
    active.turnTo(session);
    expect(model.state.kind).toBe('connecting');
    await settled();
    expect(kernel.comm.opened).toBe(true);
    kernel.comm.answer({ type: 'identity', view: view() });
    expect(model.state).toEqual({ kind: 'identity', view: view() });
  });

  it('is replaced when the kernel pushes another, unasked', async () => {
    await follow();
    kernel.comm.answer({ type: 'identity', view: view({ name: 'other' }) });
    expect(nameOf(model.state)).toBe('other');
  });

  it('is the error that the kernel reports', async () => {
    active.turnTo(session);
    await settled();
    kernel.comm.answer({ type: 'error', message: 'No credentials were found.' });
    expect(model.state).toEqual({ kind: 'error', message: 'No credentials were found.' });
  });

  it.each([
    null,
    'identity',
    {},
    { type: 'identity' },
    { type: 'identity', view: { ...view(), account: 1111 } },
    { type: 'identity', view: { ...view(), tone: 'fine' } },
    { type: 'identity', view: { ...view(), expires_at: 'soon' } },
    { type: 'identity', view: { ...view(), warnings: [{}] } },
    { type: 'error' }
  ])('is an error when the answer is %j', async answer => {
    active.turnTo(session);
    await settled();
    kernel.comm.answer(answer);
    expect(model.state).toEqual({ kind: 'error', message: 'not understood' });
  });

  it.each([
    ['steps', [{ text: 'A.', steps: ['B.'] }], 1],
    ['nothing, as an older sm_access', undefined, 0],
    ['nonsense', [5, { text: 'A.' }, { text: 'A.', steps: [5] }], 0],
    ['text', 'A.', 0]
  ])('takes %s for notices, and loses no warning', async (_, notices, length) => {
    active.turnTo(session);
    await settled();
    kernel.comm.answer({ type: 'identity', view: { ...view(), warnings: ['A.'], notices } });
    const state = model.state;
    expect(state.kind === 'identity' && state.view.notices).toHaveLength(length);
    expect(state.kind === 'identity' && state.view.warnings).toEqual(['A.']);
  });

  it('is an error when no comm can be made', async () => {
    kernel.failure = new Error('Comms are disabled on this kernel connection');
    active.turnTo(session);
    await settled();
    expect(model.state).toEqual({
      kind: 'error',
      message: 'Comms are disabled on this kernel connection'
    });
  });

  it('is not asked of a kernel of another language', async () => {
    kernel.language = 'R';
    active.turnTo(session);
    await settled();
    expect(model.state).toEqual({ kind: 'not-python' });
    expect(kernel.comms).toHaveLength(0);
  });
});

describe('a kernel without the extension', () => {
  beforeEach(async () => {
    active.turnTo(session);
    await settled();
    kernel.comm.hangUp();
  });

  it('is told apart', () => {
    expect(model.state).toEqual({ kind: 'not-loaded' });
  });

  it('is not asked again after any cell', async () => {
    session.run('import pandas');
    session.turn('busy', 'idle');
    await settled();
    expect(kernel.comms).toHaveLength(1);
  });

  it('is asked again after the cell that loads it, and not before that cell has ended', async () => {
    session.run('%load_ext sm_access', 'cell-7');
    await settled();
    expect(kernel.comms).toHaveLength(2);
    kernel.comm.answer({ type: 'identity', view: view() });
    expect(nameOf(model.state)).toBe('acme-ds-notebooks');
  });

  it('is asked again when the person asks', async () => {
    model.refresh();
    await settled();
    expect(kernel.comms).toHaveLength(2);
  });
});

describe('nothing stale is kept', () => {
  it('when the person turns to another notebook', async () => {
    await follow();
    const first = kernel.comm;
    const other = new FakeKernel();
    active.turnTo(new FakeSession(other));
    expect(model.state.kind).toBe('connecting');
    expect(first.closed).toBe(true);
    await settled();
    other.comm.answer({ type: 'identity', view: view({ name: 'second' }) });
    first.answer({ type: 'identity', view: view({ name: 'late' }) });
    first.onClose({});
    session.turn('restarting');
    expect(nameOf(model.state)).toBe('second');
  });

  it('when the kernel is exchanged', async () => {
    await follow();
    const other = new FakeKernel();
    session.replaceKernel(other);
    expect(model.state.kind).toBe('connecting');
    await settled();
    expect(other.comm.opened).toBe(true);
  });

  it('when the kernel restarts, and it is asked again once it is up', async () => {
    await follow();
    session.turn('restarting');
    expect(model.state.kind).toBe('connecting');
    expect(kernel.comm.isDisposed).toBe(true);
    expect(kernel.comm.closed).toBe(false);
    session.turn('starting', 'idle', 'busy', 'idle');
    await settled();
    expect(kernel.comms).toHaveLength(2);
    kernel.comm.hangUp();
    expect(model.state.kind).toBe('not-loaded');
  });

  it('when the kernel dies or the notebook is closed', async () => {
    await follow();
    session.turn('dead');
    expect(model.state.kind).toBe('no-kernel');
    session.turn('idle');
    session.disposed.emit();
    expect(model.state.kind).toBe('no-kernel');
  });

  it('when the answer comes after the kernel was exchanged while the subshell started', async () => {
    let start: () => void = () => undefined;
    kernel.supportsSubshells = true;
    kernel.subshell = new Promise(resolve => (start = resolve));
    active.turnTo(session);
    await settled();
    const first = kernel.comm;
    session.replaceKernel(null);
    start();
    await settled();
    expect(first.opened).toBe(false);
    expect(first.isDisposed).toBe(true);
  });

  it('and no comm is made while the one before is being given up', async () => {
    let start: () => void = () => undefined;
    kernel.supportsSubshells = true;
    kernel.subshell = new Promise(resolve => (start = resolve));
    active.turnTo(session);
    await settled();
    session.replaceKernel(kernel);
    await settled();
    expect(kernel.comms).toHaveLength(1);
    expect(kernel.comm.isDisposed).toBe(false);
    start();
    await settled();
    expect(kernel.comms.map(comm => comm.isDisposed)).toEqual([true, false]);
    expect(kernel.comm.opened).toBe(true);

    session.replaceKernel(kernel);
    expect(kernel.comm.closed).toBe(true);
    expect(kernel.comms).toHaveLength(2);
    await Promise.resolve();
    await Promise.resolve();
    expect(kernel.comms).toHaveLength(2);
    await settled();
    expect(kernel.comms).toHaveLength(3);
  });
});

describe('subshells', () => {
  beforeEach(() => {
    kernel.supportsSubshells = true;
  });

  it('are awaited before the comm is opened', async () => {
    let start: () => void = () => undefined;
    kernel.subshell = new Promise(resolve => (start = resolve));
    active.turnTo(session);
    await settled();
    expect(kernel.comm.opened).toBe(false);
    start();
    await settled();
    expect(kernel.comm.opened).toBe(true);
  });

  it('that cannot be started, or never start, do not keep the identity away', async () => {
    kernel.subshell = Promise.reject(new Error('no'));
    active.turnTo(session);
    await settled();
    expect(kernel.comm.opened).toBe(true);

    const other = new FakeKernel();
    other.supportsSubshells = true;
    other.subshell = new Promise(() => undefined);
    session.replaceKernel(other);
    await settled();
    expect(other.comm.opened).toBe(false);
    await jest.advanceTimersByTimeAsync(2000);
    expect(other.comm.opened).toBe(true);
  });

  it('are not waited for where the kernel has none, though JupyterLab would wait for ever', async () => {
    kernel.supportsSubshells = false;
    kernel.subshell = new Promise(() => undefined);
    active.turnTo(session);
    await settled();
    expect(kernel.comm.opened).toBe(true);
  });
});

describe('the passing of time', () => {
  it('is told to whoever counts down', async () => {
    await follow();
    const ticked = jest.fn();
    model.ticked.connect(ticked);
    await jest.advanceTimersByTimeAsync(4 * TICK_MS);
    expect(ticked).toHaveBeenCalledTimes(4);
    expect(kernel.comm.sent).toEqual([]);
  });

  it('makes it ask again near the end, once a minute and not while an answer is due', async () => {
    await follow({ expires_at: '2026-11-23T17:05:00Z' });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(kernel.comm.sent).toEqual([{ type: 'identity' }]);
    kernel.comm.answer({ type: 'identity', view: view({ expires_at: '2026-11-23T17:05:00Z' }) });
    await jest.advanceTimersByTimeAsync(45_000);
    expect(kernel.comm.sent).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(15_000);
    expect(kernel.comm.sent).toHaveLength(2);
    kernel.comm.answer({ type: 'identity', view: view({ expires_at: '2026-11-23T23:00:00Z' }) });
    await jest.advanceTimersByTimeAsync(300_000);
    expect(kernel.comm.sent).toHaveLength(2);
  });
});

describe('a kernel that stays silent', () => {
  beforeEach(async () => {
    active.turnTo(session);
    await settled();
  });

  it('is not waited for without end', async () => {
    await jest.advanceTimersByTimeAsync(45_000);
    expect(model.state).toEqual({ kind: 'error', message: 'no answer' });
    model.refresh();
    await settled();
    kernel.comm.answer({ type: 'identity', view: view() });
    expect(model.state.kind).toBe('identity');
  });

  it('is waited for as long as it is busy', async () => {
    session.turn('busy');
    await jest.advanceTimersByTimeAsync(600_000);
    expect(model.state.kind).toBe('connecting');
  });
});

describe('dispose', () => {
  it('stops the clock, closes the comm and lets go of the session', async () => {
    await follow();
    const changed = jest.fn();
    model.stateChanged.connect(changed);
    model.dispose();
    expect(kernel.comm.closed).toBe(true);
    await settled();
    expect(jest.getTimerCount()).toBe(0);
    session.turn('restarting', 'idle');
    session.replaceKernel(new FakeKernel());
    active.turnTo(null);
    expect(changed).not.toHaveBeenCalled();
  });
});
