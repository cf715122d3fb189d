/** Synthetic streams in the shape of OpenAI's and Anthropic's servers: the same text cut into deltas the size of tokens. */

import type { ProtocolId } from '../packages/wire/src/index.ts';

const WORDS = [' the', ' a', ' stream', 'ing', ' token', '\n', 's', ', and', ' "quoted"', ' x', ' world', ' of'];

export interface BenchStream {
  readonly name: string;
  readonly wire: ProtocolId;
  /** One string per event, line ends included. */
  readonly events: readonly string[];
}

function chatChunk(delta: object, finish: string | null = null): string {
  const chunk = {
    id: 'chatcmpl-CbK3IcocMHQc8uR1DdrO1kXA8yRoq',
    object: 'chat.completion.chunk',
    created: 1795200076,
    model: 'gpt-4o-mini-2024-07-18',
    service_tier: 'default',
    system_fingerprint: 'fp_b376dfbbd5',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

const DONE = 'data: [DONE]\n\n';

/** Text in chunks of about 260 bytes each. */
export function chatText(deltas: number): BenchStream {
  const events = [chatChunk({ role: 'assistant', content: '' })];
  for (let n = 0; n < deltas; n++) events.push(chatChunk({ content: WORDS[n % WORDS.length] }));
  events.push(chatChunk({}, 'stop'), DONE);
  return { name: 'chat text', wire: 'chat', events };
}

/** Calls of 200 argument fragments each; with `calls` 1, one call with all of them. */
export function chatToolCalls(deltas: number, calls = Math.ceil(deltas / 200)): BenchStream {
  const perCall = Math.ceil(deltas / calls);
  const events = [chatChunk({ role: 'assistant', content: null })];
  for (let call = 0; call < calls; call++) {
    const head = { index: call, id: `call_${call}`, type: 'function', function: { name: 'read_file', arguments: '' } };
    events.push(chatChunk({ tool_calls: [head] }));
    for (let n = 0; n < perCall; n++) {
      const text = n === 0 ? '["' : n === perCall - 1 ? '"]' : 'ab';
      events.push(chatChunk({ tool_calls: [{ index: call, function: { arguments: text } }] }));
    }
  }
  events.push(chatChunk({}, 'tool_calls'), DONE);
  return { name: 'chat tool calls', wire: 'chat', events };
}

function namedEvent(event: { type: string } & Record<string, unknown>): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

type Fields = Readonly<Record<string, unknown>>;

/** The events of one item of a response, each numbered, and those around them. */
function responsesStream(name: string, begun: Fields, done: Fields, events: readonly [string, Fields][]): BenchStream {
  const response = {
    id: 'resp_67ccd3a9da748190baa7f1570fe91ac604becb25c45c1d41',
    object: 'response',
    status: 'in_progress',
    output: [],
  };
  const usage = { input_tokens: 20, output_tokens: events.length, total_tokens: 20 + events.length };
  const all: [string, Fields][] = [
    ['response.created', { response }],
    ['response.in_progress', { response }],
    ['response.output_item.added', { output_index: 0, item: begun }],
    ...events,
    ['response.output_item.done', { output_index: 0, item: done }],
    ['response.completed', { response: { ...response, status: 'completed', output: [done], usage } }],
  ];
  const numbered = all.map(([type, more], n) => namedEvent({ type, sequence_number: n, ...more }));
  return { name, wire: 'responses', events: numbered };
}

const padding = (delta: string): string => 'kR3x9TqLw'.slice(0, 16 - delta.length);

/** Text deltas with sequence numbers and padding, and the whole sequence around them. */
export function responsesText(deltas: number): BenchStream {
  const id = 'msg_67ccd3acc8d48190a77525dc6de64b4104becb25c45c1d41';
  const at = { item_id: id, output_index: 0, content_index: 0 };
  const words = Array.from({ length: deltas }, (_, n) => WORDS[n % WORDS.length] ?? '');
  const text = words.join('');
  const part = { type: 'output_text', annotations: [], text };
  const begun = { id, type: 'message', status: 'in_progress', content: [], role: 'assistant' };
  return responsesStream('Responses text', begun, { ...begun, status: 'completed', content: [part] }, [
    ['response.content_part.added', { ...at, part: { ...part, text: '' } }],
    ...words.map((delta): [string, Fields] => [
      'response.output_text.delta',
      { ...at, delta, logprobs: [], obfuscation: padding(delta) },
    ]),
    ['response.output_text.done', { ...at, text }],
    ['response.content_part.done', { ...at, part }],
  ]);
}

/** One call whose arguments come in so many pieces, numbered and padded. */
export function responsesToolInput(deltas: number): BenchStream {
  const id = 'fc_67ccd3acc8d48190a77525dc6de64b4104becb25c45c1d41';
  const at = { item_id: id, output_index: 0 };
  const pieces = jsonPieces(deltas);
  const call = { id, type: 'function_call', call_id: 'call_HqjXkVvGzUCtTYTVJzKPAVnC', name: 'read_file' };
  const begun = { ...call, status: 'in_progress', arguments: '' };
  const done = { ...call, status: 'completed', arguments: pieces.join('') };
  return responsesStream('Responses tool input', begun, done, [
    ...pieces.map((delta): [string, Fields] => [
      'response.function_call_arguments.delta',
      { ...at, delta, obfuscation: padding(delta) },
    ]),
    ['response.function_call_arguments.done', { ...at, arguments: done.arguments }],
  ]);
}

/** The arguments of a call in pieces of two bytes. */
function jsonPieces(count: number): string[] {
  return Array.from({ length: count }, (_, n) => (n === 0 ? '{"path":"' : n === count - 1 ? '"}' : 'ab'));
}

function messagesStream(
  name: string,
  stopReason: string,
  block: Record<string, unknown>,
  deltas: readonly Record<string, unknown>[],
): BenchStream {
  const message = {
    ...{
      id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
      type: 'message',
      role: 'assistant',
      content: [],
      model: 'claude-sonnet-4-5',
    },
    ...{ stop_reason: null, stop_sequence: null, usage: { input_tokens: 25, output_tokens: 1 } },
  };
  const events = [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'ping' },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { output_tokens: deltas.length },
    },
    { type: 'message_stop' },
  ];
  return { name, wire: 'messages', events: events.map(namedEvent) };
}

/** Text in events of about 140 bytes each. */
export function messagesText(deltas: number): BenchStream {
  const words = Array.from({ length: deltas }, (_, n) => ({ type: 'text_delta', text: WORDS[n % WORDS.length] }));
  return messagesStream('Messages text', 'end_turn', { type: 'text', text: '' }, words);
}

/** One call whose input comes in so many pieces. */
export function messagesToolInput(deltas: number): BenchStream {
  const pieces = jsonPieces(deltas).map((partial_json) => ({ type: 'input_json_delta', partial_json }));
  const block = { type: 'tool_use', id: 'toolu_01T1x1fJ34qAmk2tNTrN7Up6', name: 'read_file', input: {} };
  return messagesStream('Messages tool input', 'tool_use', block, pieces);
}

/** Network chunks of `size` bytes. */
export function packed(stream: BenchStream, size: number): Uint8Array[] {
  return cut(Buffer.from(stream.events.join('')), size);
}

function cut(bytes: Buffer, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

/** One event per network chunk. */
export function onePerChunk(stream: BenchStream): Uint8Array[] {
  return stream.events.map((event) => Buffer.from(event));
}

/**
 * A stream too long to be held: the events between the first `head` and the last `tail` ones, which must all be
 * deltas, come `times` times. Only one copy of them is in memory.
 */
export function* repeated(stream: BenchStream, times: number, head: number, tail: number): Generator<Uint8Array> {
  const { events } = stream;
  const middle = cut(Buffer.from(events.slice(head, -tail).join('')), CHUNK);
  yield Buffer.from(events.slice(0, head).join(''));
  for (let n = 0; n < times; n++) yield* middle;
  yield Buffer.from(events.slice(-tail).join(''));
}

export const CHUNK = 16 * 1024;
