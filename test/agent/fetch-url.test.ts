import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { isIP, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFetchUrlTool } from '../../packages/agent/src/tools/fetch-url.ts';
import { fetchPage, type FetchOptions } from '../../packages/agent/src/tools/fetch-page.ts';
import { isPublicAddress } from '../../packages/agent/src/tools/public-address.ts';
import { readHost } from '../../packages/agent/src/web-access.ts';
import type { ToolPlan, ToolResult, WebAccess } from '../../packages/agent/src/index.ts';
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

function planFor(url: string, more: WebAccess & { offset?: number; clock?: TestClock } = {}): Promise<ToolPlan> {
  const { offset, proxy, privateHosts = ['127.0.0.1'], clock = new TestClock() } = more;
  const web = { privateHosts, ...(proxy === undefined ? {} : { proxy }) };
  const value = { url, ...(offset === undefined ? {} : { offset }) };
  const signal = new AbortController().signal;
  return createFetchUrlTool({ clock, web }).plan({ type: 'json', value }, { signal });
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
  await expect(fetchText(url, { privateHosts: [] })).rejects.toThrow(/no address of the public internet/);
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
    '::7f00:1', // IPv4-compatible, RFC 4291, 2.5.5.1
    '100:0:0:1::1',
    '4000::1', // kept for what comes
    'x',
  ];
  expect([...pub, ...not].filter(isPublicAddress)).toEqual(pub);
});

describe('a name', () => {
  /** As a server of names that knows one name, with these addresses. */
  const page = (url: string, addresses: readonly string[], more: Partial<FetchOptions> = {}) =>
    fetchPage(new URL(url), {
      signal: new AbortController().signal,
      clock: new TestClock(),
      lookup: (_, __, callback) =>
        callback(
          null,
          addresses.map((address) => ({ address, family: isIP(address) })),
        ),
      ...more,
    });

  test('of a private host is refused, by any of its addresses', async () => {
    const base = await serve((_, response) => response.end('secret'));
    const url = base.replace('127.0.0.1', 'wiki.example');
    await expect(page(url, ['8.8.8.8', '127.0.0.1'])).rejects.toThrow(
      'wiki.example is at 127.0.0.1, no address of the public internet',
    );
  });

  test('that the person allows is read, and no other', async () => {
    const base = await serve((_, response) => response.end('minutes'));
    const url = base.replace('127.0.0.1', 'Wiki.Example');
    const privateHosts = ['wiki.example'];
    expect(await page(url, ['127.0.0.1'], { privateHosts })).toMatchObject({ type: 'text', text: 'minutes' });
    await expect(page(base, [], { privateHosts })).rejects.toThrow('no address of the public internet');
    await expect(page(url.replace('Wiki', 'a.wiki'), ['127.0.0.1'], { privateHosts })).rejects.toThrow(
      'a.wiki.example',
    );
  });
});

describe('through a proxy', () => {
  /** What it was asked for, line by line. */
  async function proxy(): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers['proxy-authorization'] ?? ''}`);
      response.end('from the proxy');
    }).listen(0, '127.0.0.1');
    server.on('connect', (request: IncomingMessage, socket: Socket) => {
      asked.push(`CONNECT ${request.url ?? ''}`);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await once(server, 'listening');
    return { url: `http://me:sesame@127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }

  test('a name goes to the proxy, which looks it up', async () => {
    const { url: httpProxy, asked } = await proxy();
    const { output } = await fetchText('http://wiki.example/a?b=c', { proxy: { httpProxy } });
    expect(output).toBe('http://wiki.example/a?b=c (status 200):\nfrom the proxy');
    expect(asked).toEqual([`GET http://wiki.example/a?b=c Basic ${Buffer.from('me:sesame').toString('base64')}`]);
  });

  test('an encrypted page has a tunnel; a proxy that refuses is told without its password', async () => {
    const { url: httpsProxy, asked } = await proxy();
    const failed = fetchText('https://wiki.example/', { proxy: { httpsProxy } });
    await expect(failed).rejects.toThrow(/the page cannot be read: .*403/);
    await expect(failed).rejects.not.toThrow(/sesame/);
    expect(asked).toEqual(['CONNECT wiki.example:443']);
  });

  test.each([
    'http://10.0.0.1/',
    'http://[::1]/',
    'http://localhost/',
    'http://LOCALHOST./',
    'http://a.localhost/',
    'http://127.0.0.2../',
    'http://[::127.0.0.1]/',
  ])('%s is refused, and not shown to the proxy', async (url) => {
    const { url: httpProxy, asked } = await proxy();
    await expect(fetchText(url, { proxy: { httpProxy } })).rejects.toThrow('no address of the public internet');
    expect(asked).toEqual([]);
  });

  test('a private host that the person allows goes there as well, unless it is reached directly', async () => {
    const base = await serve((_, response) => response.end('from the server'));
    const { url: httpProxy, asked } = await proxy();
    expect((await fetchText(base, { proxy: { httpProxy } })).output).toContain('from the proxy');
    const direct = await fetchText(base, { proxy: { httpProxy, noProxy: 'other.example,127.0.0.1' } });
    expect(direct.output).toContain('from the server');
    expect(asked).toHaveLength(1);
  });
});

test('a host that is allowed is a name or an address, as addresses have it', () => {
  const texts = ['Wiki.Local', '10.1.2.3', '::1', '[FE80::1]', 'wiki.local.', 'a:80', 'http://a', 'a/b', 'u@a', ''];
  expect(texts.map(readHost)).toEqual([
    'wiki.local',
    '10.1.2.3',
    '::1',
    'fe80::1',
    'wiki.local',
    ...Array<undefined>(5),
  ]);
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
