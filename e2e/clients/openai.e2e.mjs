// The openai package through the bridge: Responses over SSE, JSON and WebSocket, and Chat Completions.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI, { APIError, BadRequestError, NotFoundError } from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { z } from 'zod';
import { HELLO, READ, startRig, WIRES } from './scenario.ts';

const parameters = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] };
const readFile = { type: 'function', name: 'read_file', description: 'Reads a file', parameters, strict: false };
const model = 'm';

for (const wire of WIRES) {
  describe(`openai on a ${wire} server`, () => {
    let rig;
    let client;
    before(async () => {
      rig = await startRig(wire);
      client = new OpenAI({ apiKey: 'none', baseURL: rig.baseURL, maxRetries: 0, timeout: 60_000 });
    });
    after(() => rig?.[Symbol.asyncDispose]());

    test('responses.stream: the whole sequence, once', async () => {
      const stream = client.responses.stream({ model, input: 'hello' });
      const events = await Array.fromAsync(stream);
      assert.deepEqual(
        events.map((event) => event.sequence_number),
        events.map((_, n) => n),
      );
      assert.deepEqual(squeezed(events), [
        'response.created',
        'response.in_progress',
        'response.output_item.added',
        'response.content_part.added',
        'response.reasoning_text.delta',
        'response.reasoning_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.output_item.added',
        'response.content_part.added',
        'response.output_text.delta',
        'response.output_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.completed',
      ]);
      const deltas = events.filter((event) => event.type === 'response.output_text.delta');
      assert.equal(deltas.map((event) => event.delta).join(''), HELLO);
      const final = await stream.finalResponse();
      assert.equal(final.output_text, HELLO);
      assert.ok(final.usage.output_tokens > 0);
    });

    test('responses.create without a stream', async () => {
      const response = await client.responses.create({ model, input: 'hello' });
      assert.equal(response.status, 'completed');
      assert.equal(response.output_text, HELLO);
      assert.deepEqual(
        response.output.map((item) => item.type),
        ['reasoning', 'message'],
      );
      assert.ok(response.usage.total_tokens > 0);
    });

    test('responses.parse: an answer after a schema', async () => {
      const format = zodTextFormat(z.object({ city: z.string(), rain: z.boolean() }), 'weather');
      const { output_parsed } = await client.responses.parse({ model, input: 'object', text: { format } });
      assert.deepEqual(output_parsed, { city: 'Tromsø', rain: true });
      const asked = lastBody(rig);
      const { type } = asked.response_format ?? asked.text?.format ?? asked.output_config.format;
      assert.equal(type, 'json_schema');
    });

    for (const prompt of ['read it', 'read held', 'read merged']) {
      test(`tools over several steps with previous_response_id: ${prompt}`, async () => {
        const calls = [];
        let response = await answerTo(client, { input: prompt });
        for (let step = 0; step < 5; step++) {
          const due = response.output.filter((item) => item.type === 'function_call');
          if (due.length === 0) break;
          calls.push(...due);
          const input = due.map((item) => ({
            type: 'function_call_output',
            call_id: item.call_id,
            output: `<${JSON.parse(item.arguments).path}>`,
          }));
          response = await answerTo(client, { input, previous_response_id: response.id });
        }
        assert.equal(response.output_text, READ);
        assert.equal(calls.length, 3);
        assert.equal(new Set(calls.map((item) => item.call_id)).size, 3);
      });

      test(`chat.completions.runTools over several steps: ${prompt}`, async () => {
        const seen = [];
        const read = ({ path }) => (seen.push(path), `<${path}>`);
        const runner = client.chat.completions.runTools({
          model,
          stream: true,
          stream_options: { include_usage: true },
          messages: [{ role: 'user', content: prompt }],
          tools: [{ type: 'function', function: { name: 'read_file', parameters, parse: JSON.parse, function: read } }],
        });
        assert.equal(await runner.finalContent(), READ);
        assert.deepEqual(seen.sort(), ['a.txt', 'c.txt', 'ü "b".txt']);
      });
    }

    test('stored responses: retrieve, input items, delete', async () => {
      const first = await client.responses.create({ model, input: 'hello', instructions: 'Be short.' });
      const second = await client.responses.create({ model, input: 'repeat', previous_response_id: first.id });
      assert.deepEqual(second.output_text.split('\n'), ['user: hello', `assistant: ${HELLO}`, 'user: repeat']);
      assert.equal((await client.responses.retrieve(second.id)).output_text, second.output_text);
      const items = await Array.fromAsync(client.responses.inputItems.list(first.id));
      assert.deepEqual(
        items.map((item) => item.content[0].text),
        ['hello'],
      );
      await client.responses.delete(first.id);
      await assert.rejects(client.responses.retrieve(first.id), NotFoundError);
      await assert.rejects(
        client.responses.create({ model, input: 'x', previous_response_id: first.id }),
        (error) => error instanceof APIError && error.code === 'previous_response_not_found',
      );
    });

    test('a WebSocket: several responses on it, each only with what is new', async () => {
      const socket = new ResponsesWS(client);
      try {
        await once(socket.socket, 'open');
        const first = await onSocket(socket, { model, store: false, input: 'hello' });
        assert.equal(first.type, 'response.completed');
        const next = { model, store: false, input: 'repeat', previous_response_id: first.response.id };
        const { response } = await onSocket(socket, next);
        const text = response.output.flatMap((item) => item.content).map((part) => part.text);
        assert.deepEqual(text.join('').split('\n'), ['user: hello', `assistant: ${HELLO}`, 'user: repeat']);
        const failed = await onSocket(socket, { model, input: 'cut text' });
        assert.equal(failed.type, 'response.failed');
        const again = await onSocket(socket, { model, input: 'hello' });
        assert.equal(again.type, 'response.completed');
      } finally {
        socket.close();
      }
    });

    test('chat.completions.create, streamed and not', async () => {
      const messages = [{ role: 'user', content: 'hello' }];
      const whole = await client.chat.completions.create({ model, messages });
      assert.equal(whole.choices[0].message.content, HELLO);
      assert.equal(whole.choices[0].finish_reason, 'stop');
      assert.ok(whole.usage.total_tokens > 0);
      const streamed = await client.chat.completions.stream({ model, messages }).finalChatCompletion();
      assert.equal(streamed.choices[0].message.content, HELLO);
    });

    for (const prompt of ['cut text', 'cut call']) {
      test(`an answer that was cut off is a failure everywhere: ${prompt}`, async () => {
        const request = { model, input: prompt, tools: [readFile] };
        const streamed = await client.responses.stream(request).finalResponse();
        assert.equal(streamed.status, 'failed');
        // On Responses the call itself was done when the server left.
        if (wire === 'chat') assert.ok(streamed.output.every((item) => item.type !== 'function_call'));
        await assert.rejects(client.responses.create(request), (error) => error.status === 502);
        const chat = { model, messages: [{ role: 'user', content: prompt }] };
        await assert.rejects(client.chat.completions.stream(chat).finalChatCompletion(), APIError);
        await assert.rejects(client.chat.completions.create(chat), (error) => error.status === 502);
      });
    }

    test('a refusal of the server comes with its status, code and message', async () => {
      const known = (error) =>
        error instanceof BadRequestError &&
        error.code === 'context_length_exceeded' &&
        error.message.includes('too many tokens');
      await assert.rejects(client.responses.create({ model, input: 'refuse' }), known);
      await assert.rejects(client.responses.stream({ model, input: 'refuse' }).finalResponse(), known);
    });

    test('a client that leaves ends the request to the server', async () => {
      const arrived = rig.mock.requests.length;
      for await (const event of await client.responses.create({ model, input: 'long', stream: true })) {
        if (event.type === 'response.output_text.delta') break;
      }
      const { answer } = rig.mock.requests[arrived];
      // It cannot be awaited; the test's timeout is the bound.
      while (answer.phase === 'streaming') await sleep(20);
      assert.equal(answer.phase, 'left');
    });

    test('models.list', async () => {
      const names = (await Array.fromAsync(client.models.list())).map((one) => one.id);
      assert.deepEqual(names, ['scripted']);
    });
  });
}

/** One response, as a stream, as a program would read it. */
async function answerTo(client, request) {
  return await client.responses.stream({ model, tools: [readFile], ...request }).finalResponse();
}

/** Sends one request and waits for its last event. */
async function onSocket(socket, request) {
  const over = new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('event', (event) => {
      if (/^response\.(completed|failed|incomplete)$/.test(event.type)) resolve(event);
    });
  });
  socket.send({ type: 'response.create', ...request });
  return await over;
}

/** The types of events, runs of one type told once. */
function squeezed(events) {
  return events.map((event) => event.type).filter((type, n, all) => type !== all[n - 1]);
}

function lastBody(rig) {
  return rig.mock.requests.at(-1).body;
}
