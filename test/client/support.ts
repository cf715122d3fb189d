import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'vitest';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import type { ModelRequest } from '../../packages/wire/src/model/request.ts';
import {
  createProvider,
  type ProviderConfig,
  type ProviderOptions,
} from '../../packages/client/src/provider/provider.ts';
import type { MintId, ProtocolId } from '../../packages/wire/src/decoder.ts';
import { bodyOf, httpServer, type TestServer } from '../transport/support/server.ts';

export const hello: ModelRequest = { model: 'm', input: [{ type: 'message', role: 'user', content: 'hi' }] };

export function sse(...objects: readonly unknown[]): string {
  return objects.map((object) => `data: ${typeof object === 'string' ? object : JSON.stringify(object)}\n\n`).join('');
}

export function chatDelta(content: string): unknown {
  return { id: 'c1', choices: [{ index: 0, delta: { content }, finish_reason: null }] };
}

export function chatFinish(reason: string): unknown {
  return { id: 'c1', choices: [{ index: 0, delta: {}, finish_reason: reason }] };
}

export const chatUsage = { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } };

/** A whole good chat answer. */
export function chatAnswer(text = 'hello'): string {
  return sse(chatDelta(text), chatFinish('stop'), chatUsage, '[DONE]');
}

export function responsesAnswer(text = 'hello', id = 'resp_1'): string {
  return sse({ type: 'response.created', response: { id } }, ...messageEvents(text), {
    type: 'response.completed',
    response: { id, usage: null },
  });
}

export function messageEvents(text: string, id = 'msg_1'): unknown[] {
  const item = { type: 'message', id, role: 'assistant', status: 'in_progress', content: [] };
  return [
    { type: 'response.output_item.added', output_index: 0, item },
    { type: 'response.output_text.delta', item_id: id, delta: text },
    {
      type: 'response.output_item.done',
      output_index: 0,
      item: { ...item, status: 'completed', content: [{ type: 'output_text', text, annotations: [] }] },
    },
  ];
}

export interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

export interface ModelServer extends TestServer {
  readonly requests: readonly Received[];
}

/** A server that answers the nth request with the nth handler, the last one for all that follow. */
export async function modelServer(
  ...handlers: readonly ((response: ServerResponse, received: Received) => void)[]
): Promise<ModelServer> {
  const requests: Received[] = [];
  const server = await httpServer((request, response) => {
    void bodyOf(request).then((text) => {
      const { method, url, headers } = request;
      const received: Received = { method, url, headers, body: JSON.parse(text) as Record<string, unknown> };
      requests.push(received);
      handlers[Math.min(requests.length, handlers.length) - 1]?.(response, received);
    });
  });
  return Object.assign(server, { requests });
}

/** An SSE answer; `hold` leaves it open. */
export function stream(
  body: string,
  options: { readonly hold?: boolean; readonly headers?: Record<string, string> } = {},
) {
  return (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...options.headers });
    if (options.hold === true) response.write(body);
    else response.end(body);
  };
}

export function status(code: number, body: unknown = {}, headers: Record<string, string> = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

/** Writes part of an answer, then breaks the connection. */
export function cut(body: string, headers: Record<string, string> = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
    response.write(body, () => response.destroy());
  };
}

export function providerFor(url: string, wireApi: ProtocolId, options: Partial<ProviderOptions> = {}): ProviderConfig {
  return createProvider({ name: 'test', baseUrl: `${url}/v1`, wireApi, ...options });
}

/** Ids that a test can write down. */
export function countedIds(): MintId {
  let count = 0;
  return (prefix) => `${prefix}_${count++}`;
}

export interface Outcome {
  readonly events: readonly ModelEvent[];
  readonly error: ModelError | undefined;
}

/** Everything a stream gives, and how it ended. */
export async function outcomeOf(stream: AsyncIterable<ModelEvent>): Promise<Outcome> {
  const events: ModelEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    return { events, error: error as ModelError };
  }
  return { events, error: undefined };
}

export function textOf(events: readonly ModelEvent[]): string {
  return events.map((event) => (event.type === 'output_text.delta' ? event.delta : '')).join('');
}

export function typesOf(events: readonly ModelEvent[]): string[] {
  return events.map((event) => event.type);
}
