import { describe, expect, it } from 'vitest';
import { createBridge } from '../../packages/bridge/src/index.ts';
import { isOwnAddress } from '../../packages/bridge/src/upstream/own-address.ts';
import { freePort } from '../free-port.ts';
import { askJson, post, startRig, type Json } from './harness.ts';
import { startBridge, startRawUpstream } from './raw-upstream.ts';

describe('bridge: its own upstream', () => {
  it.each(['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', 'LOCALHOST', '127.0.0.2'])(
    'is refused at the start: %s',
    async (host) => {
      const port = await freePort();
      const bridge = createBridge({ upstreams: [`http://${host}:${port}`], port });
      await expect(bridge.listen()).rejects.toThrow(/^the upstream http:.* is this bridge itself: /);
      await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
    },
  );

  it('is told from other servers by host and port', () => {
    const own = (address: string, host = '127.0.0.1'): boolean => isOwnAddress(address, host, 80);
    expect(['http://localhost/v1', 'http://127.0.0.1:80/v1', 'http://bridge.localhost'].map((a) => own(a))).toEqual(
      Array(3).fill(true),
    );
    const others = ['http://localhost:81/v1', 'https://localhost:80/v1', 'http://example.com/v1', 'http://10.0.0.1/v1'];
    expect(others.map((address) => own(address))).toEqual(Array(4).fill(false));
    expect(own('http://localhost', '192.0.2.1')).toBe(false);
    expect([own('http://192.0.2.1', '192.0.2.1'), own('http://127.0.0.1', '0.0.0.0')]).toEqual([true, true]);
  });

  it.each(['translate', 'passthrough'] as const)('is noticed through a ring of two: %s', async (mode) => {
    const port = await freePort();
    const options = { mode, requestMaxRetries: 4, drainTimeoutMs: 0 } as const;
    await using one = createBridge({ ...options, upstreams: [`http://127.0.0.1:${port}`], port: 0, wire: 'responses' });
    await one.listen();
    await using two = createBridge({ ...options, upstreams: [one.url], port, wire: 'chat' });
    await two.listen();
    const path = mode === 'translate' ? '/v1/responses' : '/v1/chat/completions';
    const response = await post(one, path, { model: 'm', input: 'hi', messages: [] });
    const { error } = (await response.json()) as { error: Json };
    expect(response.status).toBe(508);
    expect(error.message).toMatch(/leads back to the bridge itself/);
    const asked = await (await fetch(`${two.url}/metrics`)).text();
    expect(asked).toMatch(/turnwire_requests_total\{route="[a-z_]+",outcome="[a-z]+"\} 1\n/);
  });

  it('leaves a mark on every request, behind those of other bridges and of nobody else', async () => {
    await using rig = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'auto' });
    const ask = (via: string): Promise<Response> =>
      post(rig.bridge, '/v1/responses', { model: 'm', input: 'hi' }, { headers: { via } });
    await (await ask('1.1 proxy.example, 1.1 turnwire-0123456789abcdef')).text();
    const mark = expect.stringMatching(/^1\.1 turnwire-0123456789abcdef, 1\.1 turnwire-[0-9a-f]{16}$/) as string;
    expect(rig.mock.requests.map(({ headers }) => headers.via)).toEqual([mark]);
    const own = rig.mock.requests[0]?.headers.via?.toString().split(', ')[1] ?? '';
    expect((await ask(own)).status).toBe(508);
    expect((await askJson(rig.bridge, { input: 'hi' })).how).toBe('completed');
  });

  it('passes on the way that a request came where it passes all else', async () => {
    await using upstream = await startRawUpstream();
    await using bridge = await startBridge([upstream], { mode: 'passthrough' });
    const answer = post(bridge, '/v1/chat/completions', { model: 'm' }, { headers: { via: '1.1 proxy.example' } });
    const { req, res } = await upstream.next();
    expect(req.headers.via).toMatch(/^1\.1 proxy\.example, 1\.1 turnwire-[0-9a-f]{16}$/);
    res.end('{}');
    await (await answer).text();
  });
});
