import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createFetchUrlTool } from '../../packages/agent/src/tools/fetch-url.ts';
import { isPublicAddress, lookupPublic } from '../../packages/agent/src/tools/public-address.ts';
import type { ToolPlan, ToolResult } from '../../packages/agent/src/index.ts';
import { TestClock } from '../terminal/harness.ts';

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function planFor(
  url: string,
  more: { offset?: number; privateHosts?: boolean; clock?: TestClock } = {},
): Promise<ToolPlan> {
  const { offset, privateHosts = true, clock = new TestClock() } = more;
  const value = { url, ...(offset === undefined ? {} : { offset }) };
  const signal = new AbortController().signal;
  return createFetchUrlTool({ clock, privateHosts }).plan({ type: 'json', value }, { signal });
}

async function fetchText(url: string, more: Parameters<typeof planFor>[1] = {}): Promise<ToolResult> {
  const plan = await planFor(url, more);
  return plan.run({ signal: new AbortController().signal, output: () => undefined });
}

const page = `<html><head><title>T</title><script>evil()</script></head><body><nav>menu</nav>
<h1>Head</h1><p>One <a href="/two">two</a> &amp; three.</p><ul><li>a<li>b</ul><pre>x  y</pre></body></html>`;

test('a page comes as text, with its links and without its scripts', async () => {
  const base = await serve((_, response) => response.setHeader('content-type', 'text/html').end(page));
  const { output, ok } = await fetchText(base);
  expect(ok).toBe(true);
  expect(output.split('\n').filter((line) => line !== '')).toEqual([
    `${base}/ (status 200):`,
    'Head',
    `One two [${base}/two] & three.`,
    ' * a',
    ' * b',
    'x  y',
  ]);
});

test('each origin is asked about, with the whole address', async () => {
  const plan = await planFor('https://example.com/a?b=c');
  expect([plan.title, plan.approval]).toEqual([
    'fetch https://example.com/a?b=c',
    {
      reason: 'it reads a page at example.com, whose server sees the address',
      rules: ['fetch:https://example.com'],
    },
  ]);
});

test.each(['file:///etc/passwd', 'ftp://a/b', 'nonsense', 'http://user:pass@example.com/'])(
  '%s is refused',
  async (url) => {
    await expect(async () => planFor(url)).rejects.toThrow(/no http:\/\/ or https:\/\/ address|user or password/);
  },
);

test.each([
  'http://127.0.0.1:1/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://[::1]/',
  'http://[::ffff:10.0.0.1]/',
  'http://169.254.169.254/latest/meta-data/',
  'http://192.168.1.1/',
  'http://0.0.0.0/',
  'http://localhost:1/',
])('%s is no address of the public internet', async (url) => {
  await expect(fetchText(url, { privateHosts: false })).rejects.toThrow(/no address of the public internet/);
});

test('public are the addresses of the internet alone', () => {
  const pub = ['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8'];
  const not = [
    '10.1.2.3',
    '100.64.0.1',
    '172.16.0.1',
    '224.0.0.1',
    '255.255.255.255',
    'fe80::1',
    'fc00::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'x',
  ];
  expect([...pub, ...not].filter(isPublicAddress)).toEqual(pub);
});

test('the connection goes to the address that was looked at', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  lookupPublic('localhost', { all: true }, (error) => resolve(error));
  expect(await promise).toMatchObject({ name: 'PrivateAddressError' });
});

test('redirects are followed on the same host, told to another, and end', async () => {
  const base = await serve(({ url = '' }, response) => {
    if (url === '/end') response.end('here');
    else if (url === '/loop') response.writeHead(302, { location: '/loop' }).end();
    else response.writeHead(302, { location: url === '/away' ? 'https://other.example/x' : '/end' }).end();
  });
  expect((await fetchText(`${base}/in`)).output).toBe(`${base}/end (status 200):\nhere`);
  expect((await fetchText(`${base}/away`)).output).toBe(
    'the page is at https://other.example/x now: fetch that address, if it is wanted',
  );
  await expect(fetchText(`${base}/loop`)).rejects.toThrow('without an end');
});

test('errors of the server, what is no text, and other sets of characters', async () => {
  const base = await serve(({ url }, response) => {
    if (url === '/404') response.writeHead(404).end('not there');
    else if (url === '/png') response.setHeader('content-type', 'image/png').end('x');
    else response.setHeader('content-type', 'text/plain; charset=iso-8859-1').end(Buffer.from([0xe4]));
  });
  expect(await fetchText(`${base}/404`)).toEqual({ output: `${base}/404 (status 404):\nnot there`, ok: false });
  expect(await fetchText(`${base}/png`)).toEqual({
    output: `${base}/png is image/png, which cannot be read as text`,
    ok: false,
  });
  expect((await fetchText(`${base}/latin`)).output).toBe(`${base}/latin (status 200):\nä`);
});

test('a page without an end is cut, and read on from an offset', async () => {
  const base = await serve((_, response) => {
    const more = (): void => {
      if (response.write('0123456789'.repeat(6400))) setImmediate(more);
      else response.once('drain', more);
    };
    more();
  });
  const { output } = await fetchText(base);
  expect(output.slice(-140)).toMatch(
    /\n\[… 2047152 more characters, from offset 50000 …\]\n\[… the page is longer than what is read of it …\]$/,
  );
  expect((await fetchText(base, { offset: 2_097_150 })).output).toMatch(/:\n01\n\[… the page is longer/);
});

test('a server that is silent is given up', async () => {
  const asked = Promise.withResolvers<undefined>();
  const base = await serve(() => asked.resolve(undefined));
  const clock = new TestClock();
  const result = fetchText(base, { clock });
  result.catch(() => undefined);
  await asked.promise;
  clock.pass(30_000);
  await expect(result).rejects.toThrow(/gave no page within 30 s/);
});
