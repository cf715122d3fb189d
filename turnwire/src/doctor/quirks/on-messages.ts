import { client } from './clients.ts';
import type { QuirkOnWire } from './quirk.ts';

const { claude, anthropic, aiSdk, opencode } = client;
const pi = client.oldPi;

const held = {
  right: 'after message_stop the body has to end',
  stumbles: [
    claude('waits 300 s'),
    anthropic('waits for ever'),
    aiSdk('waits for ever'),
    pi('waits for ever'),
    opencode('waits'),
  ],
};

const cut = {
  stumbles: [
    claude('asks again at once, not streamed'),
    anthropic('throws'),
    aiSdk('an error, or a part of the answer in silence'),
    pi('error'),
    opencode('asks again; a call that is cut by a clean close is lost in silence'),
  ],
};

const unknownEvent = {
  level: 'broken',
  right: 'events are those of the API',
  stumbles: [aiSdk('loses the turn'), opencode('fails')],
} as const;

const endsRunner = anthropic('the tool runner ends in silence');

/** What known clients of the Messages wire were seen to do with quirks that other wires have, too. */
export const onMessages: Readonly<Record<string, QuirkOnWire>> = {
  'finish-then-hold': held,
  'done-then-hold': held,
  'comment-only-life': held,
  'slow-close': { stumbles: [claude('the end of each turn is late by that much'), anthropic('likewise')] },
  'no-sentinel': {
    level: 'broken',
    right: 'message_stop ends an answer',
    stumbles: [anthropic('throws'), aiSdk('an empty answer in silence'), pi('error'), opencode('asks on and on')],
  },
  'no-finish-done': {
    right: 'message_delta has the stop_reason',
    stumbles: [
      aiSdk('an empty answer in silence'),
      opencode('asks on and on'),
      anthropic('the tool runner stops in silence'),
    ],
  },
  'no-finish-close': {
    right: 'an answer that is over says so with a stop_reason and message_stop',
    stumbles: [
      claude('takes it for finished and runs its calls, when the blocks are closed'),
      anthropic('throws'),
      aiSdk('takes it for finished in silence'),
      pi('error'),
      opencode('asks on and on'),
    ],
  },
  'no-last-blank-line': { stumbles: [anthropic('throws')] },
  'late-error': { stumbles: [anthropic('throws, although the answer is whole')] },
  'empty-stream': { stumbles: [anthropic('throws')] },
  'reset-after': cut,
  'cut-after': cut,
  'cut-mid-event': cut,
  'stall-after': {
    stumbles: [
      claude('waits 300 s, then asks again'),
      anthropic('no idle timeout, waits'),
      aiSdk('no idle timeout, waits'),
      pi('no idle timeout, waits'),
    ],
  },
  'no-event-lines': {
    level: 'broken',
    right: 'events have an event: line that repeats their type',
    stumbles: [claude('asks again, not streamed'), anthropic('throws'), pi('an empty answer in silence')],
  },
  'heartbeat-events': { ...unknownEvent, right: 'the keep-alive of this wire is ping' },
  'unknown-events': unknownEvent,
  'json-instead-of-sse': {
    stumbles: [
      claude('asks again, not streamed'),
      anthropic('throws'),
      aiSdk('error'),
      pi('an empty answer in silence'),
      opencode('hangs'),
    ],
  },
  'error-mid-stream': {
    stumbles: [
      claude('asks again at once, not streamed'),
      anthropic('throws, asks not again'),
      aiSdk('error; waits when the body does not end'),
      pi('error'),
      opencode('asks again'),
    ],
  },
  'html-200': {
    stumbles: [claude('one more request, then an error'), anthropic('throws'), aiSdk('error')],
  },
  'html-502': { stumbles: [anthropic('3 requests, then throws')] },
  'error-200': { stumbles: [anthropic('throws')] },
  'error-string-code': { stumbles: [anthropic('throws')] },
  'quota-wording': { stumbles: [anthropic('3 requests upon 429, then throws')] },
  'invalid-prompt': { stumbles: [claude('a final error'), anthropic('throws, asks not again')] },
  'wrong-wire': { stumbles: [anthropic('throws')] },
  status: { stumbles: [claude('11 requests in about 190 s upon 5xx'), anthropic('3 requests'), aiSdk('3 requests')] },
  unauthorized: { stumbles: [claude('11 requests in 187 s, unless x-should-retry is false')] },
  'retry-after': { stumbles: [] },
  'content-filter': { stumbles: [claude('a final error'), endsRunner] },
  length: { stumbles: [claude('asks three more times, then fails'), endsRunner] },
  'length-mid-call': {
    stumbles: [claude('asks three more times, then fails'), endsRunner, pi('runs the call with what is there')],
  },
  'failed-then-hold': {
    right: 'after an error event the body has to end',
    stumbles: [aiSdk('waits')],
  },
  'stop-with-tools': {
    right: 'calls end with stop_reason tool_use',
    stumbles: [endsRunner],
  },
  'usage-missing': {
    level: 'broken',
    right: 'message_start and message_delta have usage',
    stumbles: [anthropic('throws'), aiSdk('type error'), pi('throws'), opencode('asks again, or hangs')],
  },
  'tool-args-invalid': {
    stumbles: [anthropic('runs the call with an empty input'), pi('runs the call with what is there')],
  },
  'tool-id-missing': {
    stumbles: [
      claude('a result without tool_use_id'),
      anthropic('a result without tool_use_id'),
      aiSdk('type error'),
      opencode('type error'),
    ],
  },
  'tool-id-shared': {
    right: 'each call has an id of its own',
    stumbles: [claude('answers one of them, and asks on and on'), opencode('runs both twice')],
  },
  'tool-interleaved': { stumbles: [] },
  order: {
    right: 'the event sequence of the API: the bridge and its validator keep it',
    stumbles: [anthropic('counts on it'), aiSdk('counts on it')],
  },
  'context-wording': {
    right: 'a full context is "prompt is too long: N tokens > M maximum"',
    stumbles: [claude('shows an error instead of making room'), anthropic('throws')],
  },
};
