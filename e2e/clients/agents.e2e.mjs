// @openai/agents through the bridge: its Responses model and its chat model.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, run, setTracingDisabled, tool } from '@openai/agents';
import OpenAI from 'openai';
import { z } from 'zod';
import { HELLO, READ, startRig, WIRES } from './scenario.ts';

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

function readFile(paths) {
  return tool({
    name: 'read_file',
    description: 'Reads a file',
    parameters: z.object({ path: z.string() }),
    execute: ({ path }) => (paths.push(path), `<${path}>`),
  });
}
