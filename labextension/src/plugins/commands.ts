/** The command that shows the identity card, and its place in the palette. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CardBody } from '../components/card';
import { shieldIcon } from '../icons';
import { serverIdentity } from '../request';
import { CommandIDs, IKernelIdentity } from '../tokens';

export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'sm-access:commands',
  description: 'Adds the command that shows the identity of the kernel and of the server.',
  autoStart: true,
  requires: [IKernelIdentity],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    identity: IKernelIdentity,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('sm_access');
    app.commands.addCommand(CommandIDs.showIdentity, {
      label: trans.__('Show AWS Identity'),
      caption: trans.__('Which IAM role the kernel has, through what, and until when'),
      icon: shieldIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        identity.refresh();
        const { serverSettings } = app.serviceManager;
        const dialog = new Dialog({
          title: trans.__('AWS identity of this kernel'),
          body: new CardBody(identity, () => serverIdentity(serverSettings), trans),
          buttons: [Dialog.okButton({ label: trans.__('Close') })]
        });
        await dialog.launch();
      }
    });
    palette?.addItem({ command: CommandIDs.showIdentity, category: trans.__('AWS Access') });
  }
};
