/** The plugins of the JupyterLab extension. */

import { commandsPlugin } from './plugins/commands';
import { identityPlugin } from './plugins/identity';
import { statusPlugin } from './plugins/status';

export { IKernelIdentity } from './tokens';

export default [identityPlugin, statusPlugin, commandsPlugin];
