import { request as httpRequest } from 'node:http';
import { expect } from 'vitest';
import { believing, byIndex, newState, readChat, readEvent, readResponses } from './naive-loop.ts';
import { nothing, questionOn, type Naive } from './outcome.ts';

/**
 * Loops as people write them, each with one belief that holds on a good server. Every one of them reads a clean
 * answer right: faults.test.ts checks that too.
 */

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

/** What a finished call has is JSON. */
export const parsesArguments = believing({
  end: (state) => {
    for (const { arguments: text } of state.calls) JSON.parse(text);
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

/** Reasoning is parts. */
export const reasoningItems = believing({
  responses: (event, state) => {
    readResponses(event, state);
    const { type, item } = event;
    if (type !== 'response.output_item.done' || item?.type !== 'reasoning') return;
    state.outcome.reasoning += item.content.map((part) => part.text).join('');
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

export const giveUpAfter600 = believing({ timeoutMs: 600 });

/** A stream says that it is one. */
export const checksType = believing({
  response: (response) => {
    if (!(response.headers.get('content-type') ?? '').startsWith('text/event-stream')) throw new Error('not a stream');
  },
});

/** `node:http` as it comes: no redirects, no decompression. */
export const rawHttp: Naive = (baseUrl, wire) =>
  new Promise((resolve, reject) => {
    const { url, body } = questionOn(wire, baseUrl);
    const req = httpRequest(url, { method: 'POST' }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (piece: string) => (text += piece));
      res.on('end', () => {
        const state = newState();
        for (const event of text.split('\n\n')) readEvent(event, wire, state, {});
        resolve(state.outcome);
      });
      res.on('error', reject);
    });
    req.on('error', reject);
    req.end(body);
  });
