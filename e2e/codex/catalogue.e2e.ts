import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createBridge } from '../../packages/bridge/src/index.ts';
import { openLlama } from '../llama.ts';
import { explain, runCodex, type CodexRun } from './run-codex.ts';

const llama = await openLlama();
const skip = 'reason' in llama ? llama.reason : false;
after(() => ('reason' in llama ? undefined : llama.stop()));

const UNKNOWN = /Model metadata for .* not found/;

function warnings({ events }: CodexRun): readonly (string | undefined)[] {
  return events.filter(({ item }) => item?.type === 'error').map(({ item }) => item?.text ?? String(item?.message));
}

void test('Codex warns of nothing on a model that the bridge tells it of, and knows its window', { skip }, async () => {
  const upstream = 'reason' in llama ? '' : llama.url;
  await using bridge = createBridge({ upstreams: [upstream], wire: 'chat', port: 0, drainTimeoutMs: 0 });
  await bridge.listen();
  const options = { baseUrl: `${bridge.url}/v1`, model: 'tiny', websockets: false, prompt: 'Say hi.', readOnly: true };
  await runCodex({ ...options, timeoutMs: 170_000 }, (run) => {
    assert.match(warnings(run).join('\n'), UNKNOWN, explain(run)); // so it is without the catalogue
  });
  await runCodex({ ...options, catalogue: true, timeoutMs: 170_000 }, async (run) => {
    assert.equal(run.code, 0, explain(run));
    assert.deepEqual(warnings(run), [], explain(run));
    const cache = JSON.parse(await readFile(join(run.home, 'models_cache.json'), 'utf8')) as {
      readonly models: readonly { readonly slug: string; readonly context_window?: number }[];
    };
    assert.deepEqual(
      cache.models.map(({ slug, context_window }) => [slug, context_window]),
      [['tiny', 131_072]],
    );
  });
});

void test('Codex patches a file with a model of the catalogue, on a server that knows functions alone', async () => {
  const server = await patching();
  const { port } = server.address() as AddressInfo;
  await using bridge = createBridge({
    upstreams: [`http://127.0.0.1:${port}`],
    wire: 'chat',
    port: 0,
    drainTimeoutMs: 0,
  });
  await bridge.listen();
  const options = { baseUrl: `${bridge.url}/v1`, model: 'small', websockets: false, prompt: 'Do it.', catalogue: true };
  await runCodex(options, async (run) => {
    assert.equal(run.code, 0, explain(run));
    assert.deepEqual(warnings(run), [], explain(run));
    assert.equal(await readFile(join(run.folder, 'a.txt'), 'utf8'), 'patched\n', explain(run));
  });
  server.closeAllConnections();
  server.close();
});

/** A server with one model, which calls `apply_patch` once. */
async function patching(): Promise<Server> {
  const input = '*** Begin Patch\n*** Add File: a.txt\n+patched\n*** End Patch\n';
  const call = {
    index: 0,
    id: 'call_1',
    type: 'function',
    function: { name: 'apply_patch', arguments: JSON.stringify({ input }) },
  };
  const chunk = (delta: object, finish_reason: string | null): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const server = createServer((req, res) => {
    if (req.method === 'GET') {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ object: 'list', data: [{ id: 'small', object: 'model', max_model_len: 65_536 }] }));
      return;
    }
    let text = '';
    req.on('data', (part: Buffer) => (text += part.toString()));
    req.on('end', () => {
      const { messages, tools = [] } = JSON.parse(text) as {
        messages: { role: string }[];
        tools?: { function: { name: string } }[];
      };
      const calls = tools.some((tool) => tool.function.name === 'apply_patch') && messages.at(-1)?.role !== 'tool';
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(
        calls ? chunk({ tool_calls: [call] }, null) + chunk({}, 'tool_calls') : chunk({ content: 'Done.' }, 'stop'),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
