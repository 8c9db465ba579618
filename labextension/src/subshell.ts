/** A comm that is answered while a cell runs, where the kernel and JupyterLab can do that. */

import type { Kernel } from '@jupyterlab/services';

/** What JupyterLab 4.4 added; the types of 4.2, which this compiles against, do not know it. */
type CommOverSubshell = Kernel.IComm & { readonly subshellStarted?: Promise<void> };
type KernelWithSubshells = Kernel.IKernelConnection & { readonly supportsSubshells?: boolean };

const PATIENCE_MS = 2000;

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
