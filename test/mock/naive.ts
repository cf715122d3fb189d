import { request as httpRequest } from 'node:http';
import { expect } from 'vitest';
import { nothing, type Naive, type Outcome } from './outcome.ts';

/**
 * Loops as people write them, each with one belief that holds on a good server. Every one of them reads a clean
 * answer right: faults.test.ts checks that too.
 */

interface Call {
  id?: string | undefined;
  name: string;
  arguments: string;
}

interface State {
  outcome: Outcome;
  calls: Call[];
  done: boolean;
  finish: string | undefined;
}

interface Fragment {
  index: number;
  id?: string;
  function?: { name?: string; arguments?: string };
}

interface Delta {
  content?: string | null;
  reasoning_content?: string;
  reasoning?: string;
  tool_calls?: Fragment[];
}

interface Chunk {
  choices: { delta?: Delta; finish_reason?: string | null }[];
  usage?: { total_tokens: number } | null;
}

interface Item {
  type: string;
  id?: string;
  call_id?: string;
  name: string;
  arguments: string;
  content: { text: string }[];
}

interface Event {
  type: string;
  delta?: string;
  item_id?: string;
  item?: Item;
  response?: { usage?: { total_tokens: number; input_tokens_details: { cached_tokens: number } } };
}

interface Beliefs {
  fatal?: boolean;
  keepBom?: boolean;
  /** Sees each event's lines. */
  lines?: (lines: string[]) => void;
  /** Reads one chat chunk; the default is the plain way. */
  chat?: (chunk: Chunk, state: State) => void;
  call?: (fragment: Fragment, state: State) => void;
  responses?: (event: Event, state: State) => void;
  response?: (response: Response) => void;
  end?: (state: State) => void;
  parseSentinel?: boolean;
  timeoutMs?: number;
  severalChunks?: boolean;
}

function readChat(chunk: Chunk, state: State, beliefs: Beliefs): void {
  const { outcome } = state;
  const choice = chunk.choices[0];
  if (chunk.usage) outcome.usage = chunk.usage.total_tokens;
  if (choice === undefined) return;
  const delta = choice.delta!;
  outcome.text += delta.content ?? '';
  outcome.reasoning += delta.reasoning_content ?? '';
  for (const fragment of delta.tool_calls ?? []) (beliefs.call ?? byIndex)(fragment, state);
  state.finish ??= choice.finish_reason ?? undefined;
}

function byIndex(fragment: Fragment, state: State): void {
  const call = (state.calls[fragment.index] ??= { name: '', arguments: '' });
  if (call.name === '') call.name = fragment.function?.name ?? '';
  call.arguments += fragment.function?.arguments ?? '';
}

function readResponses(event: Event, state: State): void {
  const { type, item } = event;
  if (type === 'response.output_text.delta') state.outcome.text += String(event.delta);
  if (type === 'response.output_item.done' && item?.type === 'function_call') {
    state.calls.push({ name: item.name, arguments: item.arguments });
  }
  if (type === 'response.completed') state.outcome.usage = event.response?.usage?.total_tokens;
}

function believing(beliefs: Beliefs): Naive {
  return async (baseUrl, wire) => {
    const path = wire === 'chat' ? '/chat/completions' : '/responses';
    const body =
      wire === 'chat'
        ? {
            model: 'm',
            messages: [{ role: 'user', content: 'hi' }],
            stream: true,
            stream_options: { include_usage: true },
          }
        : { model: 'm', input: 'hi', stream: true };
    const signal = beliefs.timeoutMs === undefined ? null : AbortSignal.timeout(beliefs.timeoutMs);
    const response = await fetch(baseUrl + path, { method: 'POST', body: JSON.stringify(body), signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    beliefs.response?.(response);
    const state: State = { outcome: nothing(), calls: [], done: false, finish: undefined };
    const decoder = new TextDecoder('utf-8', { fatal: beliefs.fatal ?? false, ignoreBOM: beliefs.keepBom ?? false });
    let buffer = '';
    let chunks = 0;
    for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
      buffer += decoder.decode(bytes, { stream: true });
      const events = buffer.split('\n\n');
      buffer = events.pop()!;
      chunks++;
      for (const event of events) readEvent(event, wire, state, beliefs);
      if (state.done) break;
    }
    if (beliefs.severalChunks === true && chunks < 2) throw new Error('not streamed');
    beliefs.end?.(state);
    state.outcome.calls = state.calls.map((call) => `${call.name}(${call.arguments})`);
    return state.outcome;
  };
}

function readEvent(event: string, wire: string, state: State, beliefs: Beliefs): void {
  const lines = event.split('\n');
  beliefs.lines?.(lines);
  const data = lines.find((line) => line.startsWith('data: '))?.slice(6);
  if (data === undefined || state.done) return;
  if (data === '[DONE]' && beliefs.parseSentinel !== true) {
    state.done = true;
    return;
  }
  const value: unknown = JSON.parse(data);
  if (wire === 'responses') (beliefs.responses ?? readResponses)(value as Event, state);
  else if (beliefs.chat === undefined) readChat(value as Chunk, state, beliefs);
  else beliefs.chat(value as Chunk, state);
}

/** No answer is whole without its sentinel. */
export const strictLoop = believing({
  end: (state) => {
    if (!state.done) throw new Error('no [DONE]');
  },
});

/** Every payload is JSON. */
export const parseAll = believing({ parseSentinel: true });

/** `response.failed` is a failure, whenever it comes. */
export const loopThatBelievesTheLast = believing({
  responses: (event, state) => {
    if (event.type === 'response.failed') throw new Error('failed');
    readResponses(event, state);
  },
});

/** A line is `data: ` or `event: `. */
const onlyKnownLines = (lines: string[]): void => {
  for (const line of lines) if (!/^(data|event): /.test(line)) throw new Error(`unexpected line ${line}`);
};
export const strictLines = believing({ lines: onlyKnownLines });
export const firstEventLoop = believing({ lines: onlyKnownLines, keepBom: true });

export const fatalDecoder = believing({ fatal: true });

/** A stream comes in more than one piece: its words can be shown one by one. */
export const wantsStreaming = believing({ severalChunks: true });

/** A call begins with its id. */
export const loopWithIds = believing({
  call: (fragment, state) => {
    if (state.calls[fragment.index] === undefined && fragment.id === undefined) throw new Error('fragment of no call');
    byIndex(fragment, state);
  },
});

/** An id means a new call. */
export const newCallPerId = believing({
  call: (fragment, state) => {
    if (fragment.id !== undefined) state.calls.push({ name: '', arguments: '' });
    byIndex({ ...fragment, index: state.calls.length - 1 }, state);
  },
});

/** An id is one call, whatever its index. */
export const oneCallPerId = believing({
  call: (fragment, state) => {
    const known = state.calls.findIndex(({ id }) => fragment.id !== undefined && id === fragment.id);
    byIndex(known < 0 ? fragment : { ...fragment, index: known }, state);
    if (known < 0 && fragment.id !== undefined) state.calls[fragment.index]!.id = fragment.id;
  },
});

/** The last name counts. */
export const lastNameWins = believing({
  call: (fragment, state) => {
    byIndex(fragment, state);
    const name = fragment.function?.name;
    if (name !== undefined) state.calls[fragment.index]!.name = name;
  },
});

/** The first fragment names the call, the others carry the arguments. */
export const opensThenFills = believing({
  call: (fragment, state) => {
    const { name = '', arguments: args = '' } = fragment.function ?? {};
    if (fragment.id !== undefined) state.calls[fragment.index] = { name, arguments: '' };
    else state.calls[fragment.index]!.arguments += args;
  },
});

/** Arguments belong to the call that was opened last. */
export const lastCallLoop = believing({
  call: (fragment, state) => {
    const { name = '', arguments: args = '' } = fragment.function ?? {};
    if (fragment.id !== undefined) state.calls.push({ name, arguments: args });
    else state.calls.at(-1)!.arguments += args;
  },
});

/** There are calls when the finish says so. */
export const trustsFinish = believing({
  end: (state) => {
    if (state.finish !== 'tool_calls') state.calls = [];
  },
});

/** Whatever is not `null` is a finish. */
export const stopsAtAnyFinish = believing({
  chat: (chunk, state) => {
    if (state.finish !== undefined && chunk.choices.length > 0) return;
    readChat(chunk, state, {});
  },
});

/** A chunk without usage has a choice. */
export const firstChoice = believing({
  chat: (chunk, state) => {
    if (!chunk.usage && chunk.choices[0]!.delta === undefined) throw new Error('no delta');
    readChat(chunk, state, {});
  },
});

/** Where there is content, it is text. */
export const concatenates = believing({
  chat: (chunk, state) => {
    const delta = chunk.choices[0]?.delta;
    readChat(chunk, state, {});
    if (delta !== undefined && 'content' in delta && delta.content === null)
      state.outcome.text += String(delta.content);
  },
});

/** Reasoning is in one field or in the other. */
export const addsBothFields = believing({
  chat: (chunk, state) => {
    readChat(chunk, state, {});
    const delta = chunk.choices[0]?.delta;
    state.outcome.reasoning += delta?.reasoning ?? '';
  },
});

/** Text after the finish is text too; and the usage comes right behind the finish, in 50 ms. */
export const stopsAtFinish: Naive = async (baseUrl, wire) => {
  let late: () => void = () => undefined;
  const grace = new Promise<void>((resolve) => (late = resolve));
  const seen = nothing();
  const whole = believing({
    chat: (chunk, state) => {
      readChat(chunk, state, {});
      Object.assign(seen, state.outcome);
      if (state.finish !== undefined) setTimeout(late, 50);
    },
  })(baseUrl, wire);
  await Promise.race([whole, grace]);
  return seen;
};

/** Usage was asked for, so it comes. */
export const waitsForUsage = believing({
  end: (state) => {
    if (state.outcome.usage === undefined) throw new Error('no usage');
  },
});

/** The usage has a chunk of its own. */
export const usageInItsOwnChunk = believing({
  chat: (chunk, state) => {
    const alone = chunk.choices.length === 0;
    readChat(alone ? chunk : { choices: chunk.choices }, state, {});
  },
});

/** A delta belongs to an item that was added, a done item is one that was added. */
export const byItemId = believing({
  responses: (event, state) => {
    const { item } = event;
    const known = state as unknown as { ids?: Set<string> };
    known.ids ??= new Set();
    if (event.type === 'response.output_item.added') known.ids.add(item?.id ?? '');
    const id = event.item_id ?? (event.type === 'response.output_item.done' ? item?.id : undefined);
    const named = id !== undefined || event.type.includes('.delta');
    if (named && !known.ids.has(id as unknown as string)) throw new Error(`unknown item ${String(id)}`);
    readResponses(event, state);
  },
});

/** The outputs of calls are kept by the id of the call: the second of one id takes the place of the first. */
export const callsByCallId = believing({
  responses: (event, state) => {
    const { type, item } = event;
    const known = state as unknown as { callIds?: Set<string | undefined> };
    known.callIds ??= new Set();
    if (type === 'response.output_item.done' && item?.type === 'function_call') {
      if (known.callIds.has(item.call_id)) return;
      known.callIds.add(item.call_id);
    }
    readResponses(event, state);
  },
});

/** Where there is usage, there are its details. */
export const cachedTokens = believing({
  responses: (event, state) => {
    readResponses(event, state);
    const usage = event.response?.usage;
    if (usage) expect(usage.input_tokens_details.cached_tokens).toBeGreaterThanOrEqual(0);
  },
});

/** A message has an array of parts. */
export const itemTexts = believing({
  responses: (event, state) => {
    readResponses(event, state);
    const { item } = event;
    if (item?.type === 'message') item.content.forEach((part) => part.text.length);
  },
});

/** What a done item says is the whole truth. */
export const believesDone = believing({
  responses: (event, state) => {
    readResponses(event, state);
    const { type, item } = event;
    if (type !== 'response.output_item.done' || item?.type !== 'message') return;
    state.outcome.text = item.content.map((part) => part.text).join('');
  },
});

export const giveUpAfter300 = believing({ timeoutMs: 300 });

/** A stream says that it is one. */
export const checksType = believing({
  response: (response) => {
    if (!(response.headers.get('content-type') ?? '').startsWith('text/event-stream')) throw new Error('not a stream');
  },
});

/** `node:http` as it comes: no redirects, no decompression. */
export const rawHttp: Naive = (baseUrl) =>
  new Promise((resolve, reject) => {
    const req = httpRequest(`${baseUrl}/chat/completions`, { method: 'POST' }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (piece: string) => (text += piece));
      res.on('end', () => {
        const state: State = { outcome: nothing(), calls: [], done: false, finish: undefined };
        for (const event of text.split('\n\n')) readEvent(event, 'chat', state, {});
        resolve(state.outcome);
      });
      res.on('error', reject);
    });
    req.on('error', reject);
    req.end(
      JSON.stringify({
        messages: [{ role: 'user', content: 'hi' }],
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
  });
