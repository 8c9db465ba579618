/** The only place that talks to the server extension. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { IIdentityView } from './tokens';
import { parseView } from './view';

/** Who the Jupyter server is to AWS. Rejects with an Error whose message is the server's own words. */
export async function serverIdentity(
  settings: ServerConnection.ISettings = ServerConnection.makeSettings()
): Promise<IIdentityView> {
  const url = URLExt.join(settings.baseUrl, 'sm-access', 'identity');
  const response = await ServerConnection.makeRequest(url, {}, settings);
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const { detail, remedy } = (body ?? {}) as { detail?: unknown; remedy?: unknown };
    const words = [detail, remedy].filter(part => typeof part === 'string' && part !== '');
    throw new Error(words.join(' ') || `${response.status} ${response.statusText}`);
  }
  const view = parseView(body);
  if (!view) {
    throw new Error(`${url}: not an identity`);
  }
  return view;
}
