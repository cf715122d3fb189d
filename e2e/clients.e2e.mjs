// Real clients through the bridge onto a chat-only server: node --test e2e/clients.e2e.mjs, after npm ci in e2e/.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent, OpenAIResponsesModel, run, setTracingDisabled, tool } from '@openai/agents';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, stepCountIs, streamText, tool as aiTool } from 'ai';
import OpenAI from 'openai';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { z } from 'zod';
import { createBridge } from '../src/bridge/index.ts';
import { startMock } from '../src/mock/index.ts';

setTracingDisabled(true);

/** Calls two tools in one answer, then one more, then reports what came back. */
const work = {
  turns: [
    {
      replies: [
        {
          parts: [
            { type: 'reasoning', text: 'Two look-ups are due.' },
            { type: 'text', text: 'Looking.' },
            { type: 'tool_call', name: 'read_file', arguments: { path: 'a.txt' } },
            { type: 'tool_call', name: 'read_file', arguments: { path: 'ü "b".txt' } },
          ],
        },
        { parts: [{ type: 'tool_call', name: 'read_file', arguments: { path: 'c.txt' } }] },
        {
          parts: (request) => [{ type: 'text', text: `Read: ${request.toolOutputs.map((one) => one.text).join(' ')}` }],
        },
      ],
    },
  ],
};
const READ = 'Read: <a.txt> <ü "b".txt> <c.txt>';
const WIRES = ['chat', 'responses'];
const schema = z.object({ path: z.string() });

async function rig(wire, options = {}) {
  const mock = await startMock({ wire, scenario: work, ...options });
  const bridge = createBridge({ upstreams: [mock.url], port: 0, drainTimeoutMs: 0 });
  await bridge.listen();
  return {
    mock,
    baseURL: `${bridge.url}/v1`,
    [Symbol.asyncDispose]: async () => {
      await bridge.close();
      await mock.close();
    },
  };
}

for (const wire of WIRES) {
  test(`@openai/agents runs tools over several steps, streamed and not (${wire} upstream)`, async () => {
    for (const stream of [false, true]) {
      await using at = await rig(wire);
      const client = new OpenAI({ apiKey: 'none', baseURL: at.baseURL, maxRetries: 0 });
      const seen = [];
      const readFile = tool({
        name: 'read_file',
        description: 'Reads a file',
        parameters: schema,
        execute: ({ path }) => (seen.push(path), `<${path}>`),
      });
      const agent = new Agent({ name: 'reader', model: new OpenAIResponsesModel(client, 'm'), tools: [readFile] });
      const result = stream ? await run(agent, 'read', { stream: true }) : await run(agent, 'read');
      if (stream) await result.completed;
      assert.equal(result.finalOutput, READ);
      assert.deepEqual(seen.sort(), ['a.txt', 'c.txt', 'ü "b".txt']);
      assert.equal(at.mock.requests.length, 3);
    }
  });

  test(`the AI SDK runs tools over several steps (${wire} upstream)`, async () => {
    for (const generate of [generateText, streamText]) {
      await using at = await rig(wire);
      const provider = createOpenAI({ apiKey: 'none', baseURL: at.baseURL });
      const result = await generate({
        model: provider.responses('m'),
        prompt: 'read',
        maxRetries: 0,
        stopWhen: stepCountIs(5),
        tools: { read_file: aiTool({ inputSchema: schema, execute: ({ path }) => `<${path}>` }) },
      });
      assert.equal(await result.text, READ);
      assert.equal((await result.steps).length, 3);
      assert.equal(at.mock.requests.length, 3);
    }
  });

  test(`the AI SDK's chat model runs tools over several steps (${wire} upstream)`, async () => {
    await using at = await rig(wire);
    const provider = createOpenAI({ apiKey: 'none', baseURL: at.baseURL });
    const result = streamText({
      model: provider.chat('m'),
      prompt: 'read',
      maxRetries: 0,
      stopWhen: stepCountIs(5),
      tools: { read_file: aiTool({ inputSchema: schema, execute: ({ path }) => `<${path}>` }) },
    });
    assert.equal(await result.text, READ);
  });

  test(`the openai package talks over a WebSocket (${wire} upstream)`, async () => {
    await using at = await rig(wire);
    const client = new OpenAI({ apiKey: 'none', baseURL: at.baseURL, maxRetries: 0 });
    const socket = new ResponsesWS(client);
    const events = [];
    const over = new Promise((resolve, reject) => {
      socket.on('event', (event) => {
        events.push(event.type);
        if (event.type === 'response.completed') resolve(event.response);
      });
      socket.on('error', reject);
    });
    await new Promise((resolve) => socket.socket.once('open', resolve));
    socket.send({ type: 'response.create', model: 'm', input: 'read' });
    const response = await over;
    assert.equal(events[0], 'response.created');
    const types = response.output.map((item) => item.type);
    assert.deepEqual(types, ['reasoning', 'message', 'function_call', 'function_call']);
    socket.close();
  });
}

test('a fault of the upstream reaches every client as an error, never as a silent success', async () => {
  await using at = await rig('chat', { faults: ['no-finish-close'] });
  const client = new OpenAI({ apiKey: 'none', baseURL: at.baseURL, maxRetries: 0 });
  const response = await client.responses.stream({ model: 'm', input: 'x' }).finalResponse();
  assert.equal(response.status, 'failed');
  const provider = createOpenAI({ apiKey: 'none', baseURL: at.baseURL });
  const errors = [];
  const result = streamText({
    model: provider.responses('m'),
    prompt: 'x',
    maxRetries: 0,
    onError: ({ error }) => errors.push(error),
  });
  await result.consumeStream();
  assert.equal(errors.length, 1);
});
