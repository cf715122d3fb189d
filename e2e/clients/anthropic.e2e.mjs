// Anthropic's package and the AI SDK's provider for it through the bridge: Messages over SSE and JSON.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createAnthropic } from '@ai-sdk/anthropic';
import Anthropic, { APIError, BadRequestError } from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { HELLO, READ, startRig, WIRES } from './scenario.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

const inputSchema = z.object({ path: z.string() });
const ask = (content, more = {}) => ({ model: 'm', max_tokens: 1000, messages: [{ role: 'user', content }], ...more });
const readFileTool = {
  name: 'read_file',
  description: 'Reads a file',
  input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
};
/** The servers that want what a model thought back; of those that speak chat, few do. */
const TAKES_THINKING = { chat: false, responses: true, messages: true };
/** What tools read, in any order: an answer's calls may run side by side. */
const ALL = ['a.txt', 'c.txt', 'ü "b".txt'];

for (const wire of WIRES) {
  describe(`@anthropic-ai/sdk on a ${wire} server`, () => {
    let rig;
    let client;
    before(async () => {
      rig = await startRig(wire);
      const baseURL = rig.baseURL.replace(/\/v1$/, '');
      client = new Anthropic({ apiKey: 'none', baseURL, maxRetries: 0, timeout: 60_000 });
    });
    after(() => rig?.[Symbol.asyncDispose]());

    test('messages.create without a stream', async () => {
      const message = await client.messages.create(ask('hello'));
      assert.deepEqual(
        message.content.map(({ type }) => type),
        ['thinking', 'text'],
      );
      assert.equal(message.content[0].thinking, 'A greeting.');
      assert.notEqual(message.content[0].signature, '');
      assert.equal(message.content[1].text, HELLO);
      assert.equal(message.stop_reason, 'end_turn');
      assert.ok(message.usage.output_tokens > 0);
    });

    test('messages.stream: the whole sequence, once', async () => {
      const stream = client.messages.stream(ask('hello'));
      const events = (await Array.fromAsync(stream)).filter(({ type }) => type !== 'ping');
      const deltas = new Set(['content_block_delta']);
      const sequence = events
        .map(({ type }) => type)
        .filter((type, n, all) => !deltas.has(type) || all[n - 1] !== type);
      const block = ['content_block_start', 'content_block_delta', 'content_block_stop'];
      assert.deepEqual(sequence, ['message_start', ...block, ...block, 'message_delta', 'message_stop']);
      const final = await stream.finalMessage();
      assert.equal(final.content.at(-1).text, HELLO);
      assert.equal(final.stop_reason, 'end_turn');
    });

    for (const prompt of ['read it', 'read held', 'read merged']) {
      for (const stream of [true, false]) {
        test(`the tool runner: tools over several steps, ${stream ? 'streamed' : 'as JSON'}: ${prompt}`, async () => {
          const paths = [];
          const run = ({ path }) => (paths.push(path), `<${path}>`);
          const read = betaZodTool({ name: 'read_file', description: 'Reads a file', inputSchema, run });
          const runner = client.beta.messages.toolRunner({ ...ask(prompt), tools: [read], stream, max_iterations: 5 });
          const final = await runner.runUntilDone();
          assert.equal(final.content.at(-1).text, READ);
          assert.deepEqual(paths.sort(), ALL);
        });
      }
    }

    test('the client sends thinking back as it came, and the server gets it', async () => {
      const first = await client.messages.create(ask('read it', { tools: [readFileTool] }));
      assert.equal(first.stop_reason, 'tool_use');
      const calls = first.content.filter(({ type }) => type === 'tool_use');
      const results = calls.map(({ id, input }) => ({
        type: 'tool_result',
        tool_use_id: id,
        content: `<${input.path}>`,
      }));
      const messages = [
        { role: 'user', content: 'read it' },
        { role: 'assistant', content: first.content },
        { role: 'user', content: results },
      ];
      const second = await client.messages.create(ask('', { messages, tools: [readFileTool] }));
      assert.deepEqual(
        second.content.map(({ type, input }) => [type, input]),
        [['tool_use', { path: 'c.txt' }]],
      );
      assert.equal(rig.mock.requests.at(-1).text.includes('Two look-ups are due.'), TAKES_THINKING[wire]);
    });

    test('an answer that was cut off is an error', async () => {
      await assert.rejects(client.messages.stream(ask('cut text')).finalMessage(), APIError);
      await assert.rejects(client.messages.create(ask('cut text')), APIError);
      await assert.rejects(client.messages.stream(ask('cut call', { tools: [readFileTool] })).finalMessage(), APIError);
    });

    test('a refusal of the server comes with its status and message', async () => {
      const error = await client.messages.create(ask('refuse')).catch((caught) => caught);
      assert.ok(error instanceof BadRequestError);
      assert.match(error.message, /prompt is too long/);
      assert.notEqual(error.requestID ?? '', '');
    });

    test('countTokens', async () => {
      const { input_tokens: tokens } = await client.messages.countTokens({
        model: 'm',
        messages: ask('hello').messages,
      });
      assert.ok(tokens > 0);
    });

    test('models.list', async () => {
      const { data } = await client.models.list();
      assert.ok(data.length > 0);
      assert.ok(data.every(({ id, type }) => typeof id === 'string' && type === 'model'));
    });
  });

  describe(`@ai-sdk/anthropic on a ${wire} server`, () => {
    let rig;
    let provider;
    before(async () => {
      rig = await startRig(wire);
      provider = createAnthropic({ apiKey: 'none', baseURL: rig.baseURL });
    });
    after(() => rig?.[Symbol.asyncDispose]());

    const settings = () => ({ maxRetries: 0, stopWhen: stepCountIs(5), timeout: 60_000, model: provider('m') });

    for (const prompt of ['read it', 'read held', 'read merged']) {
      for (const [name, run] of Object.entries({ generateText, streamText })) {
        test(`${name}: tools over several steps: ${prompt}`, async () => {
          const paths = [];
          const execute = ({ path }) => (paths.push(path), `<${path}>`);
          const tools = { read_file: tool({ description: 'Reads a file', inputSchema, execute }) };
          const result = await run({ ...settings(), prompt, tools });
          assert.equal(await result.text, READ);
          assert.deepEqual(paths.sort(), ALL);
          assert.equal((await result.steps).length, 3);
        });
      }
    }

    test('streamText: reasoning, text and usage', async () => {
      const result = streamText({ ...settings(), prompt: 'hello' });
      await result.consumeStream();
      assert.equal(await result.text, HELLO);
      assert.equal(await result.reasoningText, 'A greeting.');
      assert.equal(await result.finishReason, 'stop');
      assert.ok((await result.usage).outputTokens > 0);
    });

    test('an answer that was cut off is an error', async () => {
      const errors = [];
      await streamText({
        ...settings(),
        prompt: 'cut text',
        onError: ({ error }) => errors.push(error),
      }).consumeStream();
      assert.equal(errors.length, 1);
      await assert.rejects(generateText({ ...settings(), prompt: 'cut text' }));
    });
  });
}
