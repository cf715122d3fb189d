import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { MockServer } from '../../packages/testing/src/index.ts';
import type { ProtocolId } from '../../packages/wire/src/decoder.ts';
import { nothing, type Outcome } from '../mock/outcome.ts';

/** What a client made of a fault: the whole answer; an error; something else than the answer, as if it were that; nothing in time. */
export type Verdict = 'ok' | 'told' | 'silent' | 'stalled';

export interface Cell {
  readonly verdict: Verdict;
  readonly outcome: Outcome;
  /** What the client threw. */
  readonly error?: unknown;
}

/** Asks the server once, as the client's users do, and gives what it made of the answer. */
export type Client = (
  baseURL: string,
  fetch: typeof globalThis.fetch | undefined,
  signal: AbortSignal,
) => Promise<Outcome>;

/** One client on one server, with its answer as it should be; `deadlineMs` is how long a client has. */
export async function runCell(
  client: Client,
  { baseUrl }: Pick<MockServer, 'baseUrl'>,
  options: { readonly clean: Outcome; readonly fetch?: typeof globalThis.fetch; readonly deadlineMs: number },
): Promise<Cell> {
  const stop = new AbortController();
  const stalled: Cell = { verdict: 'stalled', outcome: nothing() };
  const late = Promise.withResolvers<Cell>();
  const timer = setTimeout(() => late.resolve(stalled), options.deadlineMs);
  try {
    return await Promise.race([asked(client, baseUrl, options, stop.signal), late.promise]);
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

async function asked(
  client: Client,
  baseUrl: string,
  { clean, fetch }: { readonly clean: Outcome; readonly fetch?: typeof globalThis.fetch },
  signal: AbortSignal,
): Promise<Cell> {
  try {
    const outcome = await client(baseUrl, fetch, signal);
    return { verdict: isSame(outcome, clean) ? 'ok' : 'silent', outcome };
  } catch (error) {
    return { verdict: 'told', outcome: nothing(), error };
  }
}

/** No usage is as good as the right one: many servers tell none. Another one is not. */
function isSame(one: Outcome, other: Outcome): boolean {
  const hasUsage = one.usage !== undefined && one.usage > 0;
  if (hasUsage && one.usage !== other.usage) return false;
  return one.text === other.text && JSON.stringify(one.calls) === JSON.stringify(other.calls);
}

const tool = (name: string) => ({ name, parameters: { type: 'object', properties: {} } });
const names = ['read_file', 'get_time'];

/** `openai`, Chat Completions, event by event. */
export const openaiChat: Client = async (baseURL, fetch, signal) => {
  const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0, ...(fetch && { fetch }) });
  const stream = await client.chat.completions.create(
    {
      model: 'm',
      stream: true,
      messages: [{ role: 'user', content: 'hi' }],
      tools: names.map((name) => ({ type: 'function', function: tool(name) })),
      stream_options: { include_usage: true },
    },
    { signal },
  );
  const outcome = nothing();
  const calls: { name: string; arguments: string }[] = [];
  let finish: string | null = null;
  for await (const chunk of stream) {
    outcome.usage = chunk.usage?.total_tokens ?? outcome.usage;
    const choice = chunk.choices[0];
    finish = choice?.finish_reason ?? finish;
    outcome.text += choice?.delta.content ?? '';
    outcome.reasoning += (choice?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? '';
    for (const call of choice?.delta.tool_calls ?? []) {
      const slot = (calls[call.index] ??= { name: '', arguments: '' });
      slot.name += call.function?.name ?? '';
      slot.arguments += call.function?.arguments ?? '';
    }
  }
  outcome.calls = calls.map((call) => `${call.name}(${call.arguments})`);
  if (finish === null) outcome.text += ' (no finish_reason)';
  if (finish === 'length' || finish === 'content_filter') throw new Error(finish);
  return outcome;
};

/** `openai`, Responses, by its accumulating helper. */
export const openaiResponses: Client = async (baseURL, fetch, signal) => {
  const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0, ...(fetch && { fetch }) });
  const tools = names.map((name) => ({ type: 'function' as const, strict: false, ...tool(name) }));
  const response = await client.responses.stream({ model: 'm', input: 'hi', tools }, { signal }).finalResponse();
  if (response.status !== 'completed') throw new Error(response.status);
  return {
    end: 'ok',
    text: response.output_text,
    reasoning: response.output
      .flatMap((item) => (item.type === 'reasoning' ? (item.content ?? []) : []))
      .map(({ text }) => text)
      .join(''),
    calls: response.output.flatMap((item) =>
      item.type === 'function_call' ? [`${item.name}(${item.arguments})`] : [],
    ),
    usage: response.usage?.total_tokens,
  };
};

/** `@anthropic-ai/sdk`, by its accumulating helper. */
export const anthropic: Client = async (baseURL, fetch, signal) => {
  const client = new Anthropic({
    baseURL: baseURL.replace(/\/v1$/, ''),
    apiKey: 'none',
    maxRetries: 0,
    ...(fetch && { fetch }),
  });
  const message = await client.messages
    .stream(
      {
        model: 'm',
        max_tokens: 1000,
        messages: [{ role: 'user', content: 'hi' }],
        tools: names.map((name) => ({ name, input_schema: { type: 'object', properties: {} } })),
      },
      { signal },
    )
    .finalMessage();
  if (message.stop_reason === 'max_tokens') throw new Error('max_tokens');
  return {
    end: 'ok',
    text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    reasoning: message.content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
    calls: message.content.flatMap((block) =>
      block.type === 'tool_use' ? [`${block.name}(${JSON.stringify(block.input)})`] : [],
    ),
    usage: message.usage.input_tokens + message.usage.output_tokens,
  };
};

/** The client of each wire. */
export const clients: Readonly<Record<ProtocolId, Client>> = {
  chat: openaiChat,
  responses: openaiResponses,
  messages: anthropic,
};
