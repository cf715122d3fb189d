import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createBridge } from '../../packages/bridge/src/index.ts';
import { startMock, type ReplyPart, type RequestView, type Scenario } from '../../packages/testing/src/index.ts';
import { deadUrl } from '../../test/free-port.ts';
import { explain, runCodex } from './run-codex.ts';
import { FOUND, searcher, startEngine } from './search.ts';

const PATCH = ['*** Begin Patch', '*** Add File: patched.txt', '+written by a patch: ü 😀', '*** End Patch', ''].join(
  '\n',
);
const SHELL = `printf '%s\\n' "hi \\"ü€😀\\"" > shell.txt && cat shell.txt`;

/** A model that runs a command, then a patch, then reports; whatever tools the client offers for it. */
const worker: Scenario = {
  turns: [
    {
      replies: [
        { parts: (request) => [{ type: 'text', text: 'First the command.' }, shellCall(request)] },
        { parts: (request) => [patchCall(request)] },
        { parts: (request) => [{ type: 'text', text: `All done. ${request.toolOutputs.length} outputs.` }] },
      ],
    },
  ],
};

function shellCall(request: RequestView): ReplyPart {
  if (has(request, 'exec')) {
    const code = `const r = await tools.exec_command({ cmd: ${JSON.stringify(SHELL)} });\ntext(r);\n`;
    return { type: 'tool_call', name: 'exec', arguments: { input: code } };
  }
  return { type: 'tool_call', name: 'exec_command', arguments: { cmd: SHELL } };
}

function patchCall(request: RequestView): ReplyPart {
  if (has(request, 'apply_patch')) return { type: 'tool_call', name: 'apply_patch', arguments: { input: PATCH } };
  if (has(request, 'exec')) {
    const code = `const r = await tools.apply_patch(${JSON.stringify(PATCH)});\ntext(r);\n`;
    return { type: 'tool_call', name: 'exec', arguments: { input: code } };
  }
  return { type: 'tool_call', name: 'exec_command', arguments: { cmd: `apply_patch <<'EOF'\n${PATCH}EOF` } };
}

function has(request: RequestView, name: string): boolean {
  return request.toolNames.includes(name);
}

const askers = ['gpt-5.5', 'gpt-6.1-sol'].flatMap((model) => [
  { model, websockets: false },
  { model, websockets: true },
]);

/** Wires of servers that know functions alone. */
for (const wire of ['chat', 'messages'] as const) {
  for (const { model, websockets } of askers) {
    const transport = websockets ? 'WebSocket' : 'SSE';
    void test(`Codex (${model}) runs a command and a patch over ${transport} on a ${wire} server`, async () => {
      await using mock = await startMock({ wire, scenario: worker });
      await using bridge = createBridge({ upstreams: [mock.url], port: 0, drainTimeoutMs: 0 });
      await bridge.listen();
      const options = { baseUrl: `${bridge.url}/v1`, model, websockets, prompt: 'Do the work.' };
      await runCodex(options, async (run) => {
        assert.equal(run.code, 0, explain(run));
        assert.equal(await readFile(join(run.folder, 'shell.txt'), 'utf8'), 'hi "ü€😀"\n', explain(run));
        assert.equal(
          await readFile(join(run.folder, 'patched.txt'), 'utf8'),
          'written by a patch: ü 😀\n',
          explain(run),
        );
        const messages = run.events
          .filter((event) => event.item?.type === 'agent_message')
          .map((event) => event.item?.text);
        assert.deepEqual(messages, ['First the command.', 'All done. 2 outputs.'], explain(run));
      });
      assert.equal(mock.requests.filter(({ view }) => view !== undefined && offersShell(view)).length, 3);
    });
  }
}

const SUMMARY = 'They want the command run, and it was.';

/** Runs a command with an answer that fills the context, writes the summary that is asked for, and then reports what it was told. */
const crowded: Scenario = {
  turns: [
    { when: { user: 'Write a summary' }, replies: [{ parts: [{ type: 'text', text: SUMMARY }] }] },
    {
      when: { request: (request) => JSON.stringify(request.body).includes(SUMMARY) },
      replies: [{ parts: [{ type: 'text', text: 'I go on from the summary.' }] }],
    },
    {
      replies: [
        {
          parts: (request) => [shellCall(request)],
          usage: {
            input_tokens: 90_000,
            input_tokens_details: { cached_tokens: 0 },
            output_tokens: 100,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: 90_100,
          },
        },
      ],
    },
  ],
};

for (const websockets of [false, true]) {
  const transport = websockets ? 'WebSocket' : 'SSE';
  void test(`Codex has its conversation compacted over ${transport} by a provider that it takes for OpenAI`, async () => {
    await using mock = await startMock({ wire: 'chat', scenario: crowded });
    await using bridge = createBridge({ upstreams: [mock.url], port: 0, drainTimeoutMs: 0 });
    await bridge.listen();
    const provider = { providerName: 'OpenAI', compactAt: 50_000 };
    const options = { baseUrl: `${bridge.url}/v1`, model: 'gpt-5.5', websockets, prompt: 'Do the work.', ...provider };
    await runCodex(options, (run) => {
      assert.equal(run.code, 0, explain(run));
      const messages = run.events
        .filter((event) => event.item?.type === 'agent_message')
        .map((event) => event.item?.text);
      assert.deepEqual(messages, ['I go on from the summary.'], explain(run));
    });
    const asked = mock.requests.filter(({ view }) => view?.lastUserText.includes('Write a summary') === true);
    assert.equal(asked.length, 1);
    assert.equal(asked[0]?.view?.body.tools, undefined);
  });
}

void test('Codex searches the web with the engine of the bridge', async () => {
  const engine = await startEngine();
  await using mock = await startMock({ wire: 'chat', scenario: searcher });
  const search = { url: engine.url };
  await using bridge = createBridge({ upstreams: [mock.url], port: 0, drainTimeoutMs: 0, search });
  await bridge.listen();
  const options = {
    baseUrl: `${bridge.url}/v1`,
    model: 'gpt-5.5',
    websockets: false,
    prompt: 'Search.',
    searches: true,
  };
  await runCodex(options, (run) => {
    assert.equal(run.code, 0, explain(run));
    const said = run.events.filter((event) => event.item?.type === 'agent_message').map((event) => event.item?.text);
    assert.deepEqual(said, [FOUND], explain(run));
  });
  engine.close();
});

/** Tells the turn's own requests from those that Codex makes beside it, such as one for a title. */
function offersShell(request: RequestView): boolean {
  return has(request, 'exec') || has(request, 'exec_command');
}

for (const websockets of [false, true]) {
  const transport = websockets ? 'WebSocket' : 'SSE';
  void test(`Codex says at once that the model server is not running, over ${transport}`, async () => {
    await using bridge = createBridge({ upstreams: [await deadUrl()], wire: 'chat', port: 0 });
    await bridge.listen();
    const options = { baseUrl: `${bridge.url}/v1`, model: 'gpt-5.5', websockets, prompt: 'Hello.', readOnly: true };
    await runCodex(options, (run) => {
      assert.equal(run.code, 1, explain(run));
      const errors = run.events.filter(({ type }) => type === 'error' || type === 'turn.failed');
      assert.match(
        JSON.stringify(errors),
        /connection refused; is the server running, and is this its port/,
        explain(run),
      );
      assert.doesNotMatch(JSON.stringify(errors), /Reconnecting/, explain(run));
    });
    const metrics = await (await fetch(`${bridge.url}/metrics`)).text();
    const asked = /^turnwire_requests_total\{route="responses_(?:sse|ws)",outcome="connection_failed"\} (\d+)$/gm;
    assert.deepEqual(
      Array.from(metrics.matchAll(asked), ([, count]) => count),
      ['1'],
      metrics,
    );
  });
}
