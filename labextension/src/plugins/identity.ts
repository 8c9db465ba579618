/** Provides the identity of the active kernel to the plugins that show it. */

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ActiveSession } from '../active';
import { KernelIdentityModel } from '../model';
import { IKernelIdentity } from '../tokens';

export const identityPlugin: JupyterFrontEndPlugin<IKernelIdentity> = {
  id: 'sm-access:identity',
  description: 'Reads the AWS identity of the kernel behind the active notebook or console.',
  autoStart: true,
  provides: IKernelIdentity,
  optional: [INotebookTracker, IConsoleTracker, ITranslator],
  activate: (
    _,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    translator: ITranslator | null
  ): IKernelIdentity => {
    const trans = (translator ?? nullTranslator).load('sm_access');
    const trackers = [notebooks, consoles].filter(
      (it): it is NonNullable<typeof it> => it !== null
    );
    return new KernelIdentityModel(new ActiveSession(trackers), {
      misunderstood: trans.__(
        'The kernel answered with something else than an identity. Is its sm_access of another version?'
      ),
      silent: trans.__('The kernel does not answer. Click to ask again, or restart the kernel.')
    });
  }
};
