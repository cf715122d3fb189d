import OpenAI from 'openai';
import { createModelClient } from '../../packages/client/src/session/model-client.ts';
import { createProvider, type ProviderOptions } from '../../packages/client/src/provider/provider.ts';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import type { Tool } from '../../packages/wire/src/model/request.ts';
import type { ProtocolId } from '../../packages/wire/src/decoder.ts';
import { protocols } from '../../packages/wire/src/protocols.ts';

/** What a client made of an answer: comparable, whoever read it. */
export interface Outcome {
  end: 'ok' | 'hang' | `error:${string}`;
  text: string;
  reasoning: string;
  calls: string[];
  usage: number | undefined;
}

export const nothing = (): Outcome => ({ end: 'ok', text: '', reasoning: '', calls: [], usage: undefined });

export const tools: Tool[] = ['read_file', 'get_time'].map((name) => ({
  type: 'function',
  name,
  parameters: { type: 'object', properties: {} },
}));

/** Our client, with the model's events in `seen`. */
export async function ours(
  baseUrl: string,
  wireApi: ProtocolId,
  options: Partial<ProviderOptions> = {},
  seen: ModelEvent[] = [],
): Promise<Outcome> {
  const client = createModelClient({ provider: createProvider({ baseUrl, wireApi, ...options }) });
  const outcome = nothing();
  try {
    for await (const event of client.stream({
      model: 'm',
      input: [{ type: 'message', role: 'user', content: 'hi' }],
      tools,
    })) {
      seen.push(event);
      collect(outcome, event);
    }
  } catch (error) {
    outcome.end = error instanceof ModelError ? `error:${error.kind}` : `error:untyped ${String(error)}`;
  } finally {
    await client.close();
  }
  return outcome;
}

export function collect(outcome: Outcome, event: ModelEvent): void {
  if (event.type === 'completed') outcome.usage = event.usage?.total_tokens;
  if (event.type !== 'output_item.done') return;
  const item = event.item as Record<string, unknown>;
  if (item['type'] === 'message') outcome.text += texts(item['content']);
  if (item['type'] === 'reasoning') outcome.reasoning += texts(item['content']) + texts(item['summary']);
  if (item['type'] === 'function_call') outcome.calls.push(`${String(item['name'])}(${String(item['arguments'])})`);
}

function texts(parts: unknown): string {
  return Array.isArray(parts) ? parts.map((part: { text?: string }) => part.text ?? '').join('') : '';
}

export type Naive = (baseUrl: string, wire: ProtocolId) => Promise<Outcome>;

/** Milliseconds for a fault to show; a clean answer gets as long as a busy machine may need. */
const DEADLINE = 700;
export const PATIENT = 15_000;

/** Runs a naive client against a deadline: what it has not done by then, it would never do. */
export async function observed(naive: Naive, baseUrl: string, wire: ProtocolId, deadline = DEADLINE): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ ...nothing(), end: 'hang' }), deadline);
  });
  const failed = (error: unknown): Outcome => ({ ...nothing(), end: `error:untyped ${String(error).slice(0, 80)}` });
  const result = await Promise.race([naive(baseUrl, wire).catch(failed), late]);
  clearTimeout(timer);
  return result;
}

/** The `openai` package, as its README uses it. */
export const sdk: Naive = async (baseURL, wire) => {
  const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
  return wire === 'chat' ? sdkChat(client) : sdkResponses(client);
};

async function sdkChat(client: OpenAI): Promise<Outcome> {
  const stream = client.chat.completions.stream({
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
    stream_options: { include_usage: true },
  });
  const completion = await stream.finalChatCompletion();
  const message = completion.choices[0]!.message;
  return {
    end: 'ok',
    text: message.content ?? '',
    reasoning: (message as { reasoning_content?: string }).reasoning_content ?? '',
    calls: (message.tool_calls ?? []).map((call) =>
      'function' in call ? `${call.function.name}(${call.function.arguments})` : '',
    ),
    usage: completion.usage?.total_tokens,
  };
}

async function sdkResponses(client: OpenAI): Promise<Outcome> {
  const response = await client.responses.stream({ model: 'm', input: 'hi' }).finalResponse();
  const calls = response.output.flatMap((item) =>
    item.type === 'function_call' ? [`${item.name}(${item.arguments})`] : [],
  );
  const reasoning = response.output.map((item) => (item.type === 'reasoning' ? texts(item.content) : '')).join('');
  return { end: 'ok', text: response.output_text, reasoning, calls, usage: response.usage?.total_tokens };
}

interface Chunk {
  choices?: { delta?: Delta; finish_reason?: string | null }[];
  usage?: { total_tokens: number } | null;
}

interface Delta {
  content?: string | null;
  reasoning_content?: string;
  tool_calls?: { index: number; function?: { name?: string; arguments?: string } }[];
}

/** The first question, in the words of each wire. */
const questions: Readonly<Record<ProtocolId, object>> = {
  chat: {
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
    stream_options: { include_usage: true },
  },
  responses: { model: 'm', input: 'hi', stream: true },
  messages: { model: 'm', max_tokens: 1000, messages: [{ role: 'user', content: 'hi' }], stream: true },
};

/** Where a question goes, and its body. */
export function questionOn(wire: ProtocolId, baseUrl: string): { readonly url: string; readonly body: string } {
  return { url: `${baseUrl}/${protocols[wire].path}`, body: JSON.stringify(questions[wire]) };
}

export async function post(baseUrl: string, wire: ProtocolId, signal: AbortSignal | null = null): Promise<Response> {
  const { url, body } = questionOn(wire, baseUrl);
  const response = await fetch(url, { method: 'POST', body, signal });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response;
}

/** The loop that everybody writes: events end in a blank line, lines begin with `data: `, `[DONE]` is the end. */
export const loop: Naive = async (baseUrl, wire) => {
  const response = await post(baseUrl, wire);
  const outcome = nothing();
  const calls: { name: string; arguments: string }[] = [];
  let buffer = '';
  for await (const bytes of response.body!.pipeThrough(new TextDecoderStream())) {
    buffer += bytes;
    const events = buffer.split('\n\n');
    buffer = events.pop()!;
    for (const event of events) {
      const data = event.split('\n').find((line) => line.startsWith('data: '));
      if (data === undefined) continue;
      const name = event
        .split('\n')
        .find((line) => line.startsWith('event: '))
        ?.slice(7);
      if (data === 'data: [DONE]' || name === 'message_stop') return finish(outcome, calls);
      read(outcome, calls, name, JSON.parse(data.slice(6)) as Chunk | MessagesEvent);
    }
  }
  return finish(outcome, calls);
};

/** The shorter loop: every network chunk is whole lines. */
export const chunkLoop: Naive = async (baseUrl, wire) => {
  const response = await post(baseUrl, wire);
  const outcome = nothing();
  const calls: { name: string; arguments: string }[] = [];
  for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
    let name: string | undefined;
    for (const line of new TextDecoder().decode(bytes).split('\n')) {
      if (line.startsWith('event: ')) name = line.slice(7);
      if (!line.startsWith('data: ')) continue;
      if (line === 'data: [DONE]' || name === 'message_stop') return finish(outcome, calls);
      read(outcome, calls, name, JSON.parse(line.slice(6)) as Chunk | MessagesEvent);
    }
  }
  return finish(outcome, calls);
};

function read(
  outcome: Outcome,
  calls: { name: string; arguments: string }[],
  name: string | undefined,
  chunk: Chunk | MessagesEvent,
): void {
  if ('type' in chunk) {
    readResponses(outcome, name, { ...chunk });
    readMessages(outcome, calls, name, chunk);
    return;
  }
  outcome.usage ??= chunk.usage?.total_tokens; // the first one wins
  const delta = chunk.choices?.[0]?.delta;
  outcome.text += delta?.content ?? '';
  outcome.reasoning += delta?.reasoning_content ?? '';
  for (const call of delta?.tool_calls ?? []) {
    const slot = (calls[call.index] ??= { name: '', arguments: '' });
    slot.name = call.function?.name ?? slot.name;
    slot.arguments += call.function?.arguments ?? '';
  }
}

function readResponses(outcome: Outcome, name: string | undefined, event: Record<string, unknown>): void {
  if (name === 'response.output_text.delta') outcome.text += String(event['delta']);
  if (name === 'response.reasoning_text.delta') outcome.reasoning += String(event['delta']);
  const item = event['item'] as Record<string, unknown> | undefined;
  if (name === 'response.output_item.done' && item?.['type'] === 'function_call') {
    outcome.calls.push(`${String(item['name'])}(${String(item['arguments'])})`);
  }
  const usage = (event['response'] as { usage?: { total_tokens: number } } | undefined)?.usage;
  if (name === 'response.completed') outcome.usage = usage?.total_tokens;
}

/** An event of the Messages wire, as far as people read it. */
export interface MessagesEvent {
  type: string;
  index: number;
  message: { usage: { input_tokens: number } };
  content_block: { type: string; id: string; name: string };
  delta: {
    type: string;
    text?: string;
    thinking?: string;
    signature?: string;
    partial_json?: string;
    stop_reason?: string | null;
  };
  usage: { input_tokens: number; output_tokens: number };
}

function readMessages(
  outcome: Outcome,
  calls: { name: string; arguments: string }[],
  name: string | undefined,
  { index, content_block: block, delta, usage }: MessagesEvent,
): void {
  if (name === 'content_block_start' && block.type === 'tool_use') calls[index] = { name: block.name, arguments: '' };
  if (name === 'content_block_delta') {
    outcome.text += delta.text ?? '';
    outcome.reasoning += delta.thinking ?? '';
    if (delta.partial_json !== undefined) calls[index]!.arguments += delta.partial_json;
  }
  if (name === 'message_delta') outcome.usage = usage.input_tokens + usage.output_tokens;
}

function finish(outcome: Outcome, calls: { name: string; arguments: string }[]): Outcome {
  // An index may count texts, too: `flat` leaves out the holes.
  outcome.calls.push(...calls.flat().map((call) => `${call.name}(${call.arguments})`));
  return outcome;
}
