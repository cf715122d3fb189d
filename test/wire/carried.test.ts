import { describe, expect, it } from 'vitest';
import { omit, type JsonObject } from '../../packages/wire/src/base/json.ts';
import { fromChatRequest } from '../../packages/wire/src/chat/request-parse.ts';
import { toChatBody } from '../../packages/wire/src/chat/request.ts';
import { encodeChatBody, encodeChatEvents } from '../../packages/wire/src/chat/encode.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import type { Item } from '../../packages/wire/src/model/items.ts';
import { chatQuirksOf } from '../../packages/wire/src/quirks.ts';
import { toResponsesBody } from '../../packages/wire/src/responses/request.ts';
import { readState, stateText, withStateRestored } from '../../packages/wire/src/state-carrier.ts';
import { createDecoder } from '../../packages/wire/src/stream-decoder.ts';

const google = chatQuirksOf('https://generativelanguage.googleapis.com/v1beta/openai', 'gemini-3-pro');
const openai = chatQuirksOf('https://api.openai.com/v1', 'gpt-5');
const local = chatQuirksOf('http://127.0.0.1:8080/v1', 'm');

const signature = { google: { thought_signature: 'SIG==' } };
const call = {
  id: 'fc1',
  type: 'function',
  function: { name: 'f', arguments: '{}' },
  extra_content: signature,
};

function decoded(deltas: readonly JsonObject[], finish: string, maker?: string): ModelEvent[] {
  const decoder = createDecoder('chat', maker === undefined ? {} : { maker });
  const chunks = [...deltas.map((delta) => ({ delta, finish_reason: null })), { delta: {}, finish_reason: finish }];
  const text = chunks
    .map((choice) => `data: ${JSON.stringify({ id: 'c1', choices: [{ index: 0, ...choice }] })}\n\n`)
    .join('');
  const events = [...decoder.push(new TextEncoder().encode(text)), ...decoder.end({ type: 'close' })];
  expect(decoder.failure).toBeUndefined();
  return events;
}

function itemsOf(events: readonly ModelEvent[]): Item[] {
  return events.flatMap((event) => (event.type === 'output_item.done' ? [event.item] : []));
}

/** Without what stands for the outputs of open calls. */
function messagesTo(quirks: typeof google, input: readonly Item[]): JsonObject[] {
  return (toChatBody({ input }, { quirks }).messages as JsonObject[]).filter(({ role }) => role !== 'tool');
}

/** What an answer was made of, and the message that a next request repeats it with. */
const states = [
  {
    name: "Gemini's thought_signature on a call",
    maker: 'google',
    quirks: google,
    deltas: [{ tool_calls: [{ index: 0, ...call }] }],
    finish: 'tool_calls',
    message: { role: 'assistant', content: null, tool_calls: [call] },
  },
  {
    name: "Gemini's thought_signature on a text",
    maker: 'google',
    quirks: google,
    deltas: [{ content: 'Hi' }, { content: '', extra_content: signature }],
    finish: 'stop',
    message: { role: 'assistant', content: 'Hi', extra_content: signature },
  },
  {
    name: "OpenRouter's encrypted reasoning_details without a word of reasoning",
    maker: 'openrouter',
    quirks: chatQuirksOf('https://openrouter.ai/api/v1', 'm'),
    deltas: [{ reasoning_details: [{ type: 'reasoning.encrypted', data: 'ENC', id: 'r1', index: 0 }], content: 'Hi' }],
    finish: 'stop',
    message: {
      role: 'assistant',
      content: 'Hi',
      reasoning_details: [{ type: 'reasoning.encrypted', data: 'ENC', id: 'r1', index: 0 }],
    },
  },
  {
    name: "OpenRouter's signed reasoning_details, cut into pieces",
    maker: 'openrouter',
    quirks: chatQuirksOf('https://openrouter.ai/api/v1', 'm'),
    deltas: [
      { reasoning_details: [{ type: 'reasoning.text', text: 'Let ', index: 0, signature: null }] },
      { reasoning_details: [{ type: 'reasoning.text', text: 'me.', index: 0 }] },
      { reasoning_details: [{ type: 'reasoning.text', text: '', index: 0, signature: 'S1' }] },
      { reasoning_details: [{ type: 'reasoning.text', text: 'More', index: 1, signature: 'S2' }], content: 'Hi' },
    ],
    finish: 'stop',
    message: {
      role: 'assistant',
      content: 'Hi',
      reasoning: 'Let me.More',
      reasoning_details: [
        { type: 'reasoning.text', text: 'Let me.', index: 0, signature: 'S1' },
        { type: 'reasoning.text', text: 'More', index: 1, signature: 'S2' },
      ],
    },
  },
  {
    name: "LiteLLM's thinking_blocks, one of them redacted",
    maker: '127.0.0.1:8080',
    quirks: local,
    deltas: [
      { thinking_blocks: [{ type: 'thinking', thinking: 'So', signature: 'S' }] },
      { thinking_blocks: [{ type: 'redacted_thinking', data: 'R' }], content: 'Hi' },
    ],
    finish: 'stop',
    message: {
      role: 'assistant',
      content: 'Hi',
      thinking_blocks: [
        { type: 'thinking', thinking: 'So', signature: 'S' },
        { type: 'redacted_thinking', data: 'R' },
      ],
    },
  },
] as const;

describe('3.12 what a server wants back', () => {
  it.each(states)('$name goes back to the same maker as it came', ({ deltas, finish, maker, quirks, message }) => {
    const items = itemsOf(decoded(deltas, finish, maker));
    expect(messagesTo(quirks, [{ type: 'message', role: 'user', content: 'q' }, ...items])).toMatchObject([
      { role: 'user', content: 'q' },
      message,
    ]);
  });

  it.each(states)('$name goes to no other maker, and not over another wire', ({ deltas, finish, maker }) => {
    const items = itemsOf(decoded(deltas, finish, maker));
    const sent = JSON.stringify([
      messagesTo(openai, items),
      messagesTo(chatQuirksOf('http://10.0.0.1/v1', 'm'), items),
      toResponsesBody({ input: items }).input,
    ]);
    expect(sent).not.toMatch(/SIG|ENC|signature|redacted|carried/);
  });

  it.each(states)(
    '$name stands in the answer to a chat client where it stood',
    ({ deltas, finish, maker, message }) => {
      const events = decoded(deltas, finish, maker);
      const { choices } = encodeChatBody(events) as { choices: { message: JsonObject }[] };
      const told = omit({ ...message }, 'reasoning');
      expect(choices[0]?.message).toMatchObject(told);
      const streamed = encodeChatEvents(events)
        .filter(({ data }) => data !== '[DONE]')
        .map(({ data }) => (JSON.parse(data) as { choices: { delta: JsonObject }[] }).choices[0]?.delta ?? {});
      const members = Object.entries(told).filter(([name]) => !['role', 'content', 'tool_calls'].includes(name));
      for (const [name, value] of members) expect(streamed.map((delta) => delta[name])).toContainEqual(value);
      const calls = streamed.flatMap(({ tool_calls }) => (tool_calls ?? []) as JsonObject[]);
      if (finish === 'tool_calls')
        expect(calls.filter(({ extra_content }) => extra_content !== undefined)).toEqual([
          { index: 0, id: 'fc1', type: 'function', function: { name: 'f', arguments: '' }, extra_content: signature },
        ]);
    },
  );

  it.each(states)('$name comes back from a chat client', ({ quirks, message }) => {
    const { request } = fromChatRequest({ messages: [{ role: 'user', content: 'q' }, message] });
    expect(messagesTo(quirks, request.input)).toMatchObject([{ role: 'user', content: 'q' }, message]);
    expect(JSON.stringify(messagesTo(openai, request.input))).not.toMatch(/extra_content|_details|thinking_blocks/);
  });

  it('a signature that comes behind its call is told at the end of the call', () => {
    const { extra_content, ...bare } = call;
    const events = decoded(
      [{ tool_calls: [{ index: 0, ...bare }] }, { tool_calls: [{ index: 0, extra_content }] }],
      'tool_calls',
    );
    expect(itemsOf(events)).toMatchObject([{ carried: { wire: 'chat', members: { extra_content } } }]);
    const told = encodeChatEvents(events).map(({ data }) => data);
    expect(told.filter((data) => data.includes('SIG=='))).toHaveLength(1);
  });

  it('reasoning that can be read is not kept twice', () => {
    const events = decoded([{ reasoning_details: [{ type: 'reasoning.text', text: 'r' }] }], 'stop');
    expect(itemsOf(events)[0]).not.toHaveProperty('carried');
  });

  it('a body that is not streamed has it as well', () => {
    const decoder = createDecoder('chat', {});
    const message = states[1].message;
    const body = { id: 'c', choices: [{ index: 0, message, finish_reason: 'stop' }] };
    const events = [...decoder.push(new TextEncoder().encode(JSON.stringify(body))), ...decoder.end({ type: 'close' })];
    expect(itemsOf(events)).toMatchObject([{ carried: { wire: 'chat', members: { extra_content: signature } } }]);
  });
});

describe('3.12 a state on its way through a client of another wire', () => {
  const state = {
    wire: 'chat',
    maker: '127.0.0.1:8080',
    message: { reasoning_details: [{ type: 'reasoning.encrypted', data: 'é{}' }] },
    calls: { call_1: { extra_content: signature } },
  };

  it('is read as it was written', () => {
    expect(readState(stateText(state))).toEqual(state);
    expect(readState(stateText({ ...state, maker: undefined }))).toEqual({ ...state, maker: undefined });
  });

  it('stands on its items again, and the text that carried it is gone', () => {
    const call = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' };
    const output = { type: 'function_call_output', call_id: 'call_1', output: 'x' };
    const carrier = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: stateText(state) };
    const { wire, maker } = state;
    expect(withStateRestored([call, carrier, output])).toEqual([
      { ...call, carried: { wire, maker, members: state.calls.call_1 } },
      { type: 'reasoning', id: 'rs_1', summary: [], carried: { wire, maker, members: state.message } },
      output,
    ]);
  });

  it.each(['turnwire-state:', 'turnwire-state:google:', 'turnwire-state:google:{"wire"', 'turnwire-state:x:[1]'])(
    'a damaged one is left out: %s',
    (encrypted_content) => {
      expect(withStateRestored([{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content }])).toEqual([]);
    },
  );

  it("a server's own encrypted reasoning stays as it is", () => {
    const items = [{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' }];
    expect(withStateRestored(items)).toBe(items);
  });
});
