/** Shows the kernel's identity in the status bar. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { StatusItem } from '../components/status';
import { CommandIDs, IKernelIdentity } from '../tokens';

export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'sm-access:status',
  description: 'Shows which IAM role the kernel has, and for how long, in the status bar.',
  autoStart: true,
  requires: [IKernelIdentity],
  optional: [IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    identity: IKernelIdentity,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ): void => {
    if (!statusBar) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('sm_access');
    const item = new StatusItem(
      identity,
      trans,
      () => void app.commands.execute(CommandIDs.showIdentity)
    );
    statusBar.registerStatusItem('sm-access:status', {
      item,
      align: 'right',
      rank: 90,
      isActive: () => !['no-kernel', 'not-python'].includes(identity.state.kind),
      activeStateChanged: identity.stateChanged
    });
  }
};
