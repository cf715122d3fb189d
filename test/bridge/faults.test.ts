import { describe, expect, it } from 'vitest';
import { listFaults, parseFault } from '../../packages/testing/src/index.ts';
import { protocolIds, type ProtocolId } from '../../packages/wire/src/index.ts';
import { faultArgs } from './fault-args.ts';
import { askChat, askJson, askSocket, askSse, startRig, type Ended } from './harness.ts';

const HELLO = 'Hello from the scripted model.';
const CALLS = 'Two things to look up.|read_file({"path":"notes.txt"})|get_time({"zone":"UTC"})';
/** docs/contract.md 2: a good end hands them on, and their tool refuses them. */
const HALF_WRITTEN = 'Two things to look up.|read_file({"path":"notes.txt")|get_time({"zone":"UTC")';

/** How an answer ends on each of the five ways to ask. */
interface Ends {
  readonly stream: string;
  readonly json: string;
  readonly chat: string;
  readonly chatJson: string;
}

const completed: Ends = { stream: 'completed', json: 'completed', chat: 'stop', chatJson: 'stop' };
const called: Ends = { stream: 'completed', json: 'completed', chat: 'tool_calls', chatJson: 'tool_calls' };
const limited: Ends = {
  stream: 'incomplete:max_output_tokens',
  json: 'incomplete:max_output_tokens',
  chat: 'length',
  chatJson: 'length',
};
const filtered: Ends = {
  stream: 'incomplete:content_filter',
  json: 'incomplete:content_filter',
  chat: 'content_filter',
  chatJson: 'content_filter',
};

/** Before the first event: a status, everywhere. */
function refused(status: number): Ends {
  const how = `http:${status}`;
  return { stream: how, json: how, chat: how, chatJson: how };
}

/** After the first event: an error in the stream, and a status where nothing was sent yet. */
function failed(status: number, code = 'server_error'): Ends {
  return { stream: `failed:${code}`, json: `http:${status}`, chat: `error:${code}`, chatJson: `http:${status}` };
}

/** Every fault that does not end in a whole answer. All others have to be healed. */
const endings: Readonly<Record<string, Ends>> = {
  'no-finish-close': failed(502),
  'empty-stream': refused(502),
  'endless-line': refused(502),
  'length-mid-call': limited,
  length: limited,
  incomplete: limited,
  'content-filter': filtered,
  status: refused(500),
  'retry-after': refused(429),
  'rate-limit-text': refused(429),
  'invalid-prompt': refused(400),
  'bad-json-request': refused(400),
  'error-200': refused(500),
  'error-mid-stream': failed(500),
  // docs/contract.md 3.6: the finish reason is the code.
  'finish-error': failed(500, 'error'),
  'finish-spelling': limited,
  'choice-error': failed(502),
  'error-flat': failed(500, '1301'),
  'base-resp': failed(500, '1000'),
  'error-string-code': failed(429, 'rate_limit_exceeded'),
  'context-wording': refused(400),
  'quota-wording': refused(429),
  'response-error': failed(500),
  'completed-incomplete': limited,
  'completed-failed': failed(500),
  'response-cancelled': {
    stream: 'incomplete:cancelled',
    json: 'incomplete:cancelled',
    chat: 'length',
    chatJson: 'length',
  },
  'response-failed': failed(500),
  'failed-then-hold': failed(500),
  'wrong-wire': refused(502),
  'html-200': refused(502),
  'html-502': refused(502),
  'stall-after': failed(504),
  'reset-after': failed(502),
  'cut-after': failed(502),
  'cut-mid-event': failed(502),
  'refuse-connection': refused(502),
};

/** docs/contract.md 8: the type of an error is its code. */
const endingsOn: Readonly<Partial<Record<ProtocolId, Readonly<Record<string, Ends>>>>> = {
  messages: { 'error-mid-stream': failed(500, 'api_error'), 'failed-then-hold': failed(500, 'api_error') },
};

/** The mock corrupts its deltas alone: what was streamed cannot be taken back, and the done text is the right one. */
const DELTAS_LIE = new Set(['invalid-utf8']);
/** The item with the wrong shape is carried as it came. */
const TEXT_DIFFERS = new Set(['invalid-utf8', 'malformed-item', 'unknown-events']);

const cases = protocolIds.flatMap((wire) =>
  listFaults()
    .filter((fault) => fault.wires.includes(wire))
    .map((fault) => ({ wire, name: fault.name, fault: fault.name + (faultArgs[fault.name] ?? '') })),
);

/** What is garbled ends well: the bytes and the arguments that came are handed on. */
const GARBLED = ['invalid-utf8', 'tool-args-invalid'];
/** Lossy by the argument that it has here: without, the second attempt gets the answer. */
const ONCE = ['rate-limit-text', 'retry-after'];

it('every fault that nobody can read the whole answer from is marked as lossy, and no other', () => {
  const lossy = cases.filter(({ fault }) => parseFault(fault).spec.lossy).map(({ name }) => name);
  expect([...new Set(lossy)].toSorted()).toEqual(
    [...Object.keys(endings), ...GARBLED].filter((name) => !ONCE.includes(name)).toSorted(),
  );
});

describe.each(cases)('fault $fault of a $wire upstream', ({ wire, name, fault }) => {
  it('ends in the right terminal event over SSE, WebSocket, JSON and chat', async () => {
    const tools = /^tool|stop-with-tools|length-mid|per-choice|tool-use/.test(name);
    const mock = { wire, scenario: tools ? 'parallel-calls' : 'text', faults: [fault] };
    await using rig = await startRig(mock, {
      wire,
      idleTimeoutMs: name === 'stall-after' ? 300 : 10_000,
      usageGraceMs: 100,
    });
    const ends = endingsOn[wire]?.[name] ?? endings[name] ?? (tools ? called : completed);
    const text = name === 'tool-args-invalid' ? HALF_WRITTEN : tools ? CALLS : HELLO;
    const sse = await askSse(rig.bridge, { input: 'hi' });
    const socket = await askSocket(rig.bridge, { input: 'hi' });
    const json = await askJson(rig.bridge, { input: 'hi' });
    const chat = await askChat(rig.bridge, {});
    const chatJson = await askChat(rig.bridge, {}, false);
    expect([sse.how, socket.how, json.how, chat.how, chatJson.how]).toEqual([
      ends.stream,
      ends.stream,
      ends.json,
      ends.chat,
      ends.chatJson,
    ]);
    for (const end of [sse, socket, json]) check(end, name, text);
    expect(rig.bridge.url).not.toBe('');
  });
});

function check(end: Ended, name: string, text: string): void {
  if (!DELTAS_LIE.has(name)) expect(end.violations).toEqual([]);
  if (end.how === 'completed' && !TEXT_DIFFERS.has(name)) expect(end.text).toBe(text);
  if (end.how.startsWith('http:')) expect(end.body).toMatchObject({ message: expect.stringMatching(/./) as string });
}
