import { expect, test } from 'vitest';
import { proxyFromEnv } from '../../turnwire/src/cli/proxy.ts';
import { runInProcess } from './harness.ts';

test('both spellings count, the lower case wins, and a proxy may be named without a scheme', () => {
  expect(
    proxyFromEnv({
      HTTP_PROXY: 'http://upper:1',
      http_proxy: 'lower:3128',
      HTTPS_PROXY: 'https://me:key@secure:2/',
      NO_PROXY: 'localhost,.example',
    }),
  ).toEqual({
    httpProxy: 'http://lower:3128',
    httpsProxy: 'https://me:key@secure:2/',
    noProxy: 'localhost,.example',
  });
  expect(proxyFromEnv({ HTTP_PROXY: '' })).toEqual({ httpProxy: '', httpsProxy: undefined, noProxy: undefined });
});

test.each(['http://', 'ftp://proxy:21', 'a b', 'http://me:sesame@'])(
  'a variable that holds no address is wrong usage, and is not repeated: %j',
  async (proxy) => {
    const args = ['exec', '--base-url', 'http://127.0.0.1:9/v1', '--wire', 'chat', '--model', 'm', 'hi'];
    const { code, stderr } = await runInProcess(args, { env: { https_proxy: proxy } });
    expect([code, stderr]).toEqual([
      2,
      'turnwire exec: the environment variable HTTPS_PROXY holds no address of a proxy (http://HOST:PORT)\n',
    ]);
  },
);
