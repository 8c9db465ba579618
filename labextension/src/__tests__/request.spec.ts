import { ServerConnection } from '@jupyterlab/services';

import { serverIdentity } from '../request';
import { view } from './doubles';

function answering(status: number, body: string): ServerConnection.ISettings {
  return ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/user/vision/',
    fetch: jest.fn(() =>
      Promise.resolve({
        status,
        statusText: 'words',
        ok: status < 400,
        json: () => Promise.resolve(body).then(text => JSON.parse(text) as unknown)
      })
    ) as unknown as typeof fetch,
    Request: class {
      readonly headers = { has: () => true, append: () => undefined };
      constructor(readonly url: string) {}
    } as unknown as typeof Request
  });
}

it('asks below the base URL and returns the view', async () => {
  const settings = answering(200, JSON.stringify(view()));
  await expect(serverIdentity(settings)).resolves.toEqual(view());
  const [request] = (settings.fetch as jest.Mock).mock.calls[0] as [{ url: string }];
  expect(request.url).toMatch(/^http:\/\/localhost:8888\/user\/vision\/sm-access\/identity/);
});

it('rejects with the words of the problem document', async () => {
  const problem = {
    type: 'x',
    title: 'T',
    status: 503,
    detail: 'No credentials were found.',
    remedy: 'Attach a role.'
  };
  await expect(serverIdentity(answering(503, JSON.stringify(problem)))).rejects.toThrow(
    'No credentials were found. Attach a role.'
  );
});

it('rejects with the status when the body says nothing', async () => {
  await expect(serverIdentity(answering(502, '<html>'))).rejects.toThrow('502 words');
});

it('rejects what is not an identity', async () => {
  await expect(serverIdentity(answering(200, '{"name": "x"}'))).rejects.toThrow('not an identity');
});
