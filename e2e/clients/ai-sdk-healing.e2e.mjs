// The AI SDK on a model server as it is, with `healing()` as its fetch: docs/healing.md has this recipe.
import assert from 'node:assert/strict';
import { TransformStream } from 'node:stream/web';
import { after, before, describe, test } from 'node:test';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, stepCountIs, streamText, tool, toUIMessageStream, wrapLanguageModel } from 'ai';
import { z } from 'zod';
import { startMock } from '../../packages/testing/src/index.ts';
import { healing } from '../../packages/wire/src/fetch/index.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

/** The repairs of the call that runs: whose they are is known when it asks, and not any more when its stream is read. */
const repairs = new AsyncLocalStorage();
const fetch = (url, init) => {
  const names = repairs.getStore();
  return healing({ onRepair: (name) => names?.push(name) })(url, init);
};

/** Puts them into the metadata of the answer. */
const tellRepairs = {
  specificationVersion: 'v4',
  async wrapGenerate({ doGenerate }) {
    const names = [];
    const result = await repairs.run(names, doGenerate);
    return { ...result, providerMetadata: withRepairs(result.providerMetadata, names) };
  },
  async wrapStream({ doStream }) {
    const names = [];
    const { stream, ...rest } = await repairs.run(names, doStream);
    const told = new TransformStream({
      transform(part, controller) {
        const isEnd = part.type === 'finish';
        controller.enqueue(isEnd ? { ...part, providerMetadata: withRepairs(part.providerMetadata, names) } : part);
      },
    });
    return { stream: stream.pipeThrough(told), ...rest };
  },
};

function withRepairs(metadata, names) {
  return names.length === 0 ? metadata : { ...metadata, turnwire: { repairs: [...names] } };
}

const scenario = {
  turns: [
    {
      user: 'look',
      replies: [
        { parts: [{ type: 'tool_call', name: 'look', arguments: { at: 'a' } }] },
        { parts: [{ type: 'text', text: 'Seen.' }] },
      ],
    },
  ],
};

/** What is wrong with the server, and what of it is mended in the first and the second step of a stream. */
const servers = {
  chat: {
    faults: ['tool-index-missing', 'no-finish-done', 'finish-then-hold', 'drip:5'],
    steps: [['no_tool_index', 'no_finish_reason'], ['no_finish_reason']],
  },
  responses: {
    faults: ['no-created', 'no-item-ids', 'finish-then-hold', 'drip:5'],
    steps: [
      ['no_created', 'no_item_id'],
      ['no_created', 'no_item_id'],
    ],
  },
};

for (const [api, { faults, steps }] of Object.entries(servers)) {
  describe(`AI SDK with healing() on a ${api} server with ${faults.join(', ')}`, () => {
    let mock;
    let settings;
    before(async () => {
      mock = await startMock({ faults, scenario });
      const provider = createOpenAI({ apiKey: 'none', baseURL: mock.baseUrl, fetch });
      const looked = [];
      settings = {
        model: wrapLanguageModel({ model: provider[api]('m'), middleware: tellRepairs }),
        prompt: 'look',
        maxRetries: 0,
        stopWhen: stepCountIs(3),
        timeout: 60_000,
        tools: {
          look: tool({ inputSchema: z.object({ at: z.string() }), execute: ({ at }) => (looked.push(at), 'seen') }),
        },
      };
    });
    after(() => mock?.close());

    test('streamText: tools over two steps, and the repairs of each as metadata', async () => {
      const result = streamText(settings);
      assert.equal(await result.text, 'Seen.');
      const told = (await result.steps).map(({ providerMetadata }) => providerMetadata?.turnwire?.repairs);
      assert.deepEqual(told, steps);
    });

    test('generateText: tools over two steps', async () => {
      const { text, steps } = await generateText(settings);
      assert.equal(text, 'Seen.');
      assert.equal(steps.length, 2);
    });

    test('toUIMessageStream: the whole answer, to its end', async () => {
      const parts = await Array.fromAsync(toUIMessageStream({ stream: streamText(settings).fullStream }));
      const text = parts.filter(({ type }) => type === 'text-delta').map(({ delta }) => delta);
      assert.equal(text.join(''), 'Seen.');
      assert.deepEqual(
        parts.filter(({ type }) => type.startsWith('tool-output')).map(({ output }) => output),
        ['seen'],
      );
      assert.equal(parts.at(-1).type, 'finish');
    });
  });
}
