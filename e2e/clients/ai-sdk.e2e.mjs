// The AI SDK with @ai-sdk/openai through the bridge: its Responses model and its chat model.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { EDITS_SAID, HELLO, READ, SHELL_SAID, startRig, WIRES } from './scenario.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

for (const wire of WIRES) {
  describe(`AI SDK on a ${wire} server`, () => {
    let rig;
    let provider;
    /** Bodies of the requests that the SDK made. */
    const sent = [];
    before(async () => {
      rig = await startRig(wire);
      const fetch = (url, init) => (sent.push(JSON.parse(init.body)), globalThis.fetch(url, init));
      provider = createOpenAI({ apiKey: 'none', baseURL: rig.baseURL, fetch });
    });
    after(() => rig?.[Symbol.asyncDispose]());

    const settings = () => ({ maxRetries: 0, stopWhen: stepCountIs(5), timeout: 60_000 });

    for (const prompt of ['read it', 'read held', 'read merged']) {
      for (const [name, ask] of Object.entries({ generateText, streamText })) {
        test(`${name}: tools over several steps, earlier items by reference: ${prompt}`, async () => {
          sent.length = 0;
          const paths = [];
          const result = await ask({
            ...settings(),
            model: provider.responses('gpt-5.5'),
            prompt,
            tools: { read_file: readFile(paths) },
          });
          assert.equal(await result.text, READ);
          assert.deepEqual(paths.sort(), ['a.txt', 'c.txt', 'ü "b".txt']);
          assert.equal((await result.steps).length, 3);
          // The SDK names what it got before; the server is told it.
          const references = sent.at(-1).input.filter((item) => item.type === 'item_reference');
          assert.deepEqual(
            references.map(({ id }) => id.split('_')[0]),
            ['rs', 'msg'],
          );
          assert.match(rig.mock.requests.at(-1).text, /"Looking\."/);
        });
      }
    }

    for (const [name, ask] of Object.entries({ generateText, streamText })) {
      for (const store of [true, false]) {
        const more = () => ({ model: provider.responses('gpt-5.5'), providerOptions: { openai: { store } } });

        test(`${name}: the shell over several steps, store: ${store}`, async () => {
          const tools = { shell: provider.tools.shell({ execute: runCommands }) };
          const result = await ask({ ...settings(), ...more(), prompt: 'use the shell', tools });
          assert.equal(await result.text, SHELL_SAID);
        });

        test(`${name}: the file editor over several steps, store: ${store}`, async () => {
          const operations = [];
          const tools = { apply_patch: provider.tools.applyPatch({ execute: editor(operations) }) };
          const result = await ask({ ...settings(), ...more(), prompt: 'edit the files', tools });
          assert.equal(await result.text, EDITS_SAID);
          assert.deepEqual(
            operations.map(({ type, path }) => `${type} ${path}`),
            ['create_file a.txt', 'create_file b.txt', 'update_file ', 'update_file a.txt', 'delete_file b.txt'],
          );
        });
      }
    }

    test('streamText with store: false sends everything itself', async () => {
      sent.length = 0;
      const result = streamText({
        ...settings(),
        model: provider.responses('gpt-5.5'),
        prompt: 'read it',
        tools: { read_file: readFile([]) },
        providerOptions: { openai: { store: false } },
      });
      assert.equal(await result.text, READ);
      assert.ok(sent.at(-1).input.every((item) => item.type !== 'item_reference'));
    });

    test('previousResponseId goes on with a stored conversation', async () => {
      const model = provider.responses('gpt-5.5');
      const first = await generateText({ ...settings(), model, prompt: 'hello' });
      const { responseId } = first.providerMetadata.openai;
      const second = await generateText({
        ...settings(),
        model,
        prompt: 'repeat',
        providerOptions: { openai: { previousResponseId: responseId } },
      });
      assert.deepEqual(second.text.split('\n'), ['user: hello', `assistant: ${HELLO}`, 'user: repeat']);
    });

    test('streamText: reasoning, text and usage', async () => {
      const result = streamText({ ...settings(), model: provider.responses('gpt-5.5'), prompt: 'hello' });
      const parts = await Array.fromAsync(result.fullStream);
      const deltas = parts.filter((part) => part.type === 'text-delta').map((part) => part.text);
      assert.equal(deltas.join(''), HELLO);
      assert.ok(deltas.length > 1);
      assert.equal(parts.at(-1).type, 'finish');
      assert.equal(await result.finishReason, 'stop');
      assert.ok((await result.usage).totalTokens > 0);
    });

    test('Output.object: an answer after a schema', async () => {
      const schema = z.object({ city: z.string(), rain: z.boolean() });
      const model = provider.responses('gpt-5.5');
      const result = await generateText({ ...settings(), model, prompt: 'object', output: Output.object({ schema }) });
      assert.deepEqual(result.output, { city: 'Tromsø', rain: true });
    });

    test('the chat model: tools over several steps', async () => {
      const paths = [];
      const result = streamText({
        ...settings(),
        model: provider.chat('gpt-5.5'),
        prompt: 'read merged',
        tools: { read_file: readFile(paths) },
      });
      assert.equal(await result.text, READ);
      assert.equal(paths.length, 3);
    });

    for (const api of ['responses', 'chat']) {
      test(`an answer that was cut off is an error of the ${api} model`, async () => {
        const errors = [];
        const onError = ({ error }) => errors.push(error);
        await streamText({
          ...settings(),
          model: provider[api]('gpt-5.5'),
          prompt: 'cut text',
          onError,
        }).consumeStream();
        assert.equal(errors.length, 1);
        await assert.rejects(generateText({ ...settings(), model: provider[api]('gpt-5.5'), prompt: 'cut text' }));
      });
    }

    test('a refusal of the server comes with its status and message', async () => {
      await assert.rejects(
        generateText({ ...settings(), model: provider.responses('gpt-5.5'), prompt: 'refuse' }),
        (error) => error.statusCode === 400 && error.message.includes('too many tokens'),
      );
    });
  });
}

function readFile(paths) {
  return tool({
    description: 'Reads a file',
    inputSchema: z.object({ path: z.string() }),
    execute: ({ path }) => (paths.push(path), `<${path}>`),
  });
}

/** Runs them for real, as a user's own shell would. */
function runCommands({ action }) {
  const output = action.commands.map((command) => {
    const { stdout, stderr, status } = spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8' });
    return { stdout, stderr, outcome: { type: 'exit', exitCode: status } };
  });
  return { output };
}

function editor(operations) {
  return ({ operation }) => {
    operations.push(operation);
    if (operation.path === '') return { status: 'failed', output: 'no such file' };
    return { status: 'completed', output: operation.diff === '+bare\n' ? 'made b' : undefined };
  };
}
