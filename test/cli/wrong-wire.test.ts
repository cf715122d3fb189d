import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createBridge } from '../../packages/bridge/src/index.ts';
import { responsesBody } from '../wire/helpers.ts';
import { linesOf, runInProcess } from './harness.ts';

const answer = responsesBody(
  { type: 'response.created', response: { id: 'resp_1' } },
  { type: 'response.output_text.delta', item_id: 'm', delta: 'hello' },
  { type: 'response.completed', response: { id: 'resp_1', status: 'completed' } },
);

/** A stub that answers every request with the same Responses stream, as tests of other programs have them. */
async function startStub(open = false) {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(answer);
    if (!open) response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    paths,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('the wrong wire', () => {
  it('is told by exec in one line, after one request', async () => {
    await using stub = await startStub();
    const flags = ['exec', '--base-url', stub.url, '--wire', 'chat', '--model', 'm', 'hi'];
    const { code, stdout, stderr } = await runInProcess(flags);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringContaining('this is a Responses stream: use --wire responses') as string,
    ]);
    expect(stub.paths).toEqual(['/v1/chat/completions']);
  });

  it('is told by decode in one line', async () => {
    const { code, stdout } = await runInProcess(['decode', '--wire', 'chat'], { stdin: answer });
    expect(code).toBe(1);
    expect(linesOf(stdout)).toEqual([
      {
        type: 'error',
        error: {
          kind: 'protocol',
          message: 'this is a Responses stream: use --wire responses',
          retry: { class: 'never', replay_safe: true },
        },
      },
    ]);
  });

  it.each([false, true])(
    'is not what --wire auto takes, which believes the events and not the status; open: %s',
    async (open) => {
      await using stub = await startStub(open);
      await using bridge = createBridge({ upstreams: [stub.url], port: 0, wire: 'auto', drainTimeoutMs: 0 });
      await bridge.listen();
      const response = await fetch(`${bridge.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }),
      });
      expect(await response.json()).toMatchObject({
        choices: [{ message: { content: 'hello' }, finish_reason: 'stop' }],
      });
      expect(stub.paths).toEqual(['/v1/chat/completions', '/v1/responses']);
    },
  );
});
