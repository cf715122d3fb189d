import type { ExchangeRecord, ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';

/** An exchange that ended well, but for what is given. */
export function rowOf(id: string, given: Partial<ExchangeRow> = {}): ExchangeRow {
  const startedAt = given.startedAt ?? Date.now() - 10_000;
  return {
    id,
    startedAt,
    client: 'codex',
    route: 'responses_sse',
    wire: 'responses',
    upstreamWire: 'chat',
    model: 'gpt-oss:20b',
    upstream: 'llama.cpp',
    attempts: 1,
    state: 'completed',
    askedAt: startedAt + 3,
    headAt: startedAt + 180,
    firstEventAt: startedAt + 420,
    lastByteAt: startedAt + 4200,
    lastEventAt: startedAt + 4200,
    finishedAt: startedAt + 4200,
    endedAt: startedAt + 4210,
    status: 200,
    inputTokens: 812,
    outputTokens: 240,
    deltas: 238,
    bytes: 48_210,
    repairs: {},
    ...given,
  };
}

/** The records of a request and of the head of its answer. */
export function beginning(text: string, more: Readonly<Record<string, unknown>> = {}): readonly ExchangeRecord[] {
  const headers = { 'user-agent': 'codex_cli_rs/0.169.0', authorization: 'Bearer ***' };
  return [
    {
      t: 0,
      kind: 'request',
      method: 'POST',
      url: '/v1/responses',
      headers,
      body: {
        model: 'gpt-oss:20b',
        stream: true,
        instructions: 'You are a coding agent. Be short.',
        tools: [{ type: 'function', name: 'read_file', description: 'Reads a file.', parameters: { type: 'object' } }],
        input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }],
        ...more,
      },
    },
    { t: 3, kind: 'attempt', number: 1, upstream: 'llama.cpp' },
    { t: 180, kind: 'head', upstream: 'llama.cpp', status: 200, headers: { 'content-type': 'text/event-stream' } },
  ];
}

const message = (text: string) => ({
  type: 'message' as const,
  id: 'm1',
  role: 'assistant' as const,
  status: 'completed' as const,
  content: [{ type: 'output_text' as const, text, annotations: [] }],
});

export function chunkAt(t: number, text: string): ExchangeRecord {
  return { t, kind: 'chunk', text, bytes: Buffer.byteLength(text) };
}

/** A chunk with one piece of text, the event in it, and what the client was sent. */
export function deltaAt(t: number, delta: string): readonly ExchangeRecord[] {
  const event: ModelEvent = { type: 'output_text.delta', item_id: 'm1', delta };
  const chunk = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: delta } }] })}\n\n`;
  const sent = `event: response.output_text.delta\ndata: ${JSON.stringify({ type: 'response.output_text.delta', delta })}\n\n`;
  return [chunkAt(t, chunk), { t: t + 0.2, kind: 'events', events: [event] }, { t: t + 0.3, kind: 'sent', text: sent }];
}

/** The item of the answer begins. */
export function messageBegins(t: number): ExchangeRecord {
  return { t, kind: 'events', events: [{ type: 'created' }, { type: 'output_item.added', item: message('') }] };
}

/** The answer is over, with all of its text. */
export function ending(t: number, text: string): readonly ExchangeRecord[] {
  const usage = {
    input_tokens: 812,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 240,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 1052,
  };
  return [
    chunkAt(t, 'data: [DONE]\n\n'),
    {
      t: t + 0.1,
      kind: 'events',
      events: [
        { type: 'output_item.done', item: message(text) },
        { type: 'completed', response_id: 'r1', finish_reason: 'stop', ended_by: 'sentinel' },
      ],
    },
    { t: t + 0.2, kind: 'sent', text: 'event: response.completed\ndata: {"type":"response.completed"}\n\n' },
    { t: t + 0.3, kind: 'usage', usage },
    { t: t + 10, kind: 'end', outcome: 'completed' },
  ];
}
