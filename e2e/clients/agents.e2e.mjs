// @openai/agents through the bridge: its Responses model and its chat model.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import {
  Agent,
  applyDiff,
  applyPatchTool,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  run,
  setTracingDisabled,
  shellTool,
  tool,
} from '@openai/agents';
import OpenAI from 'openai';
import { z } from 'zod';
import { EDITS_SAID, HELLO, READ, SHELL_SAID, startRig, WIRES } from './scenario.ts';

setTracingDisabled(true);

for (const wire of WIRES) {
  describe(`agents on a ${wire} server`, () => {
    let rig;
    let client;
    before(async () => {
      rig = await startRig(wire);
      client = new OpenAI({ apiKey: 'none', baseURL: rig.baseURL, maxRetries: 0, timeout: 60_000 });
    });
    after(() => rig?.[Symbol.asyncDispose]());

    const agent = (more = {}, Model = OpenAIResponsesModel) =>
      new Agent({ name: 'reader', model: new Model(client, 'm'), ...more });

    for (const prompt of ['read it', 'read held', 'read merged']) {
      for (const Model of [OpenAIResponsesModel, OpenAIChatCompletionsModel]) {
        for (const stream of [true, false]) {
          test(`${Model.name}: tools over several steps, ${stream ? '' : 'not '}streamed: ${prompt}`, async () => {
            const paths = [];
            const arrived = rig.mock.requests.length;
            const result = await run(agent({ tools: [readFile(paths)] }, Model), prompt, { stream });
            if (stream) await result.completed;
            assert.equal(result.finalOutput, READ);
            assert.deepEqual(paths.sort(), ['a.txt', 'c.txt', 'ü "b".txt']);
            assert.equal(rig.mock.requests.length - arrived, 3);
          });
        }
      }
    }

    for (const stream of [true, false]) {
      const streamed = stream ? 'streamed' : 'not streamed';

      test(`shellTool runs commands over several steps, ${streamed}`, async () => {
        const actions = [];
        const result = await run(agent({ tools: [shellTool({ shell: shell(actions) })] }), 'use the shell', { stream });
        if (stream) await result.completed;
        assert.equal(result.finalOutput, SHELL_SAID);
        const commands = actions.map((action) => action.commands.length);
        assert.deepEqual([commands, actions[0].timeoutMs], [[2, 0, 1], 5000]);
      });

      test(`applyPatchTool edits files over several steps, ${streamed}`, async () => {
        const files = new Map();
        const tools = [applyPatchTool({ editor: editor(files) })];
        const result = await run(agent({ tools }), 'edit the files', { stream });
        if (stream) await result.completed;
        assert.equal(result.finalOutput, EDITS_SAID);
        assert.deepEqual([...files], [['a.txt', 'one\nzwö']]);
      });
    }

    test('the shell is the tool that has to be called, though a function has its name', async () => {
      const tools = [shellTool({ shell: shell([]) }), { ...readFile([]), name: 'shell' }];
      await run(agent({ tools, modelSettings: { toolChoice: 'shell' } }), 'hello');
      const { body } = rig.mock.requests.at(-1);
      const sent = body.tools.map((one) => one.function ?? one);
      const chosen = (body.tool_choice.function ?? body.tool_choice).name;
      assert.equal(sent.length, 2);
      assert.deepEqual(
        sent.filter(({ name }) => name === chosen).map((one) => (one.parameters ?? one.input_schema).required),
        [['commands']],
      );
    });

    test('a handover to another agent', async () => {
      const expert = agent({ name: 'expert', instructions: 'You know all.' });
      const result = await run(agent({ handoffs: [expert] }), 'hand over');
      assert.equal(result.lastAgent.name, 'expert');
      assert.equal(result.finalOutput, 'From the expert: You know all.');
    });

    test('previousResponseId goes on with a stored conversation', async () => {
      const first = await run(agent(), 'hello');
      const second = await run(agent(), 'repeat', { previousResponseId: first.lastResponseId });
      assert.deepEqual(second.finalOutput.split('\n'), ['user: hello', `assistant: ${HELLO}`, 'user: repeat']);
    });

    test('an object as output', async () => {
      const outputType = z.object({ city: z.string(), rain: z.boolean() });
      const result = await run(agent({ outputType }), 'object');
      assert.deepEqual(result.finalOutput, { city: 'Tromsø', rain: true });
    });

    for (const prompt of ['cut text', 'cut call']) {
      test(`an answer that was cut off fails the run and runs no tool: ${prompt}`, async () => {
        const paths = [];
        await assert.rejects(run(agent({ tools: [readFile(paths)] }), prompt));
        await assert.rejects(run(agent({ tools: [readFile(paths)] }), prompt, { stream: true }).then(settled));
        assert.deepEqual(paths, []);
      });
    }
  });
}

async function settled(result) {
  await result.completed;
  return result;
}

/** Runs them for real, as a user's own shell would. */
function shell(actions) {
  return {
    run: async (action) => {
      actions.push(action);
      const output = action.commands.map((command) => {
        const { stdout, stderr, status } = spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8' });
        return { stdout, stderr, outcome: { type: 'exit', exitCode: status } };
      });
      return { output };
    },
  };
}

/** Files in memory. */
function editor(files) {
  const textOf = (path) => {
    if (!files.has(path)) throw new Error('no such file');
    return files.get(path);
  };
  return {
    createFile: async ({ path, diff }) => {
      files.set(path, applyDiff('', diff, 'create'));
      return path === 'b.txt' ? { output: 'made b' } : undefined;
    },
    updateFile: async ({ path, diff }) => void files.set(path, applyDiff(textOf(path), diff)),
    deleteFile: async ({ path }) => void (textOf(path), files.delete(path)),
  };
}

function readFile(paths) {
  return tool({
    name: 'read_file',
    description: 'Reads a file',
    parameters: z.object({ path: z.string() }),
    execute: ({ path }) => (paths.push(path), `<${path}>`),
  });
}
