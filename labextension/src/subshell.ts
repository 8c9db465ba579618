/** A comm that is answered while a cell runs, where the kernel and JupyterLab can do that. */

import type { Kernel } from '@jupyterlab/services';

/** What JupyterLab 4.4 added; the types of 4.2, which this compiles against, do not know it. */
type CommOverSubshell = Kernel.IComm & { readonly subshellStarted?: Promise<void> };
type KernelWithSubshells = Kernel.IKernelConnection & { readonly supportsSubshells?: boolean };

const PATIENCE_MS = 2000;

/** A kernel that has one of these takes nothing any more. */
export const GONE: ReadonlySet<Kernel.Status> = new Set([
  'restarting',
  'autorestarting',
  'terminating',
  'dead'
]);

/**
 * Resolves when `comm` will use its subshell, or when it is clear that it will not. Never rejects.
 *
 * JupyterLab's own promise stays open for ever with a kernel that has no subshells, hence the look at the kernel and
 * the limit to our patience.
 */
export async function subshellReady(
  kernel: Kernel.IKernelConnection,
  comm: Kernel.IComm
): Promise<void> {
  const started = (comm as CommOverSubshell).subshellStarted;
  if (!started || !(kernel as KernelWithSubshells).supportsSubshells) {
    return;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>(resolve => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([started.catch(() => undefined), patience]);
  clearTimeout(timer);
}

/**
 * Gives up `comm`; resolves when the next comm of the same target may be made. Never rejects.
 *
 * INVARIANT: no comm is made while one of the same kernel and target is being given up. JupyterLab shares one subshell
 * among them and counts its users: a comm that begins between another's leaving and the end of that subshell is put
 * into a subshell about to be deleted, and its messages are lost.
 */
export async function leave(
  kernel: Kernel.IKernelConnection,
  comm: Kernel.IComm,
  opened: boolean
): Promise<void> {
  comm.onMsg = () => undefined;
  comm.onClose = () => undefined;
  if (!opened && !isGone(kernel)) {
    await subshellReady(kernel, comm);
  }
  try {
    if (opened && !isGone(kernel) && !comm.isDisposed) {
      comm.close();
    } else {
      comm.dispose();
    }
  } catch {
    // The connection ended under our hands, and the comm with it.
  }
  await new Promise(resolve => setTimeout(resolve));
}

function isGone(kernel: Kernel.IKernelConnection): boolean {
  return kernel.isDisposed || GONE.has(kernel.status);
}
