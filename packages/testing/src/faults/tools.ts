import { isObject, parseJson, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Frame } from '../answer.ts';
import { partsOf, type ReplyPart } from '../scenario/scenario.ts';
import { everywhere, onOpenAiWires, type FaultSpec, type FaultWire } from './fault.ts';
import { withArgumentObjects, withoutCallIds } from './responses-dialects.ts';
import {
  choicesOf,
  hasFinish,
  isDelta,
  withChoices,
  withDelta,
  withFinish,
  withStopReason,
  withToolCalls,
  withToolUse,
} from '../frames.ts';
import { alternating } from './alternate.ts';
import { cutInputs, interleaveBlocks, limitInBlock } from './messages-calls.ts';

/** Faults of tool calls and of the finish on the chat wire. */
export const toolFaults: readonly FaultSpec[] = [
  {
    name: 'tool-index-missing',
    summary: 'Tool-call fragments have no index: Gemini behind its OpenAI-compatible endpoint.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => frames.map((frame) => withToolCalls(frame, without('index'))) }),
  },
  {
    name: 'tool-index-reused',
    summary: 'Every call has index 0, only the ids differ: Ollama.',
    wires: ['chat'],
    create: () => ({
      frames: (frames) => wholeCalls(frames).map((frame) => withToolCalls(frame, (call) => ({ ...call, index: 0 }))),
    }),
  },
  {
    name: 'tool-id-late',
    summary: 'The id comes with the last fragment of a call: home-made tool parsers.',
    wires: ['chat'],
    create: () => ({ frames: idLate }),
  },
  {
    name: 'tool-id-missing',
    summary: 'Calls have no id at all: local servers with tool parsers of their own.',
    wires: everywhere,
    create: () => ({
      frames: (frames) =>
        frames.map((frame) => withToolUse(withoutCallIds(withToolCalls(frame, without('id'))), without('id'))),
    }),
  },
  {
    name: 'tool-id-repeated',
    summary:
      'The id and the name come again with every fragment: endpoints that fill in every chunk from one template.',
    wires: ['chat'],
    create: () => ({ frames: idRepeated }),
  },
  {
    name: 'tool-name-empty',
    summary: 'Later fragments carry an empty name that wipes out the first: sub2api and other gateways.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => frames.map((frame) => withToolCalls(frame, emptyName)) }),
  },
  {
    name: 'tool-args-object',
    summary: 'The arguments are an object instead of JSON text: Ollama-like servers.',
    wires: onOpenAiWires,
    create: () => ({
      frames: (frames) =>
        wholeCalls(frames).map((frame) => withArgumentObjects(withToolCalls(frame, argumentsAsObject))),
    }),
  },
  {
    name: 'tool-args-invalid',
    summary:
      'The arguments of a call that ends well lack their last character: models that write bad JSON, servers that lose the last token.',
    wires: everywhere,
    lossy: true,
    create: () => ({
      reply: (reply, { request, wire }) => ({ ...reply, parts: partsOf(reply, request).map(halfWritten[wire]) }),
      frames: cutInputs,
    }),
  },
  {
    name: 'tool-whole',
    summary: 'Each call comes whole in one fragment: vLLM with several of its tool parsers, Mistral.',
    wires: ['chat'],
    create: () => ({ frames: wholeCalls }),
  },
  {
    name: 'tool-interleaved',
    summary: 'The fragments of two calls alternate: batching servers with parallel calls.',
    wires: ['chat', 'messages'],
    create: () => ({ frames: (frames) => interleaveBlocks(interleave(frames)) }),
  },
  {
    name: 'content-parts',
    summary: 'delta.content is an array of parts: Mistral, and Anthropic models behind gateways.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => frames.map((frame) => withDelta(frame, asParts)) }),
  },
  {
    name: 'message-not-delta',
    summary: 'The chunks carry message instead of delta: servers that stream one finished message.',
    wires: ['chat'],
    create: () => ({ frames: asMessage }),
  },
  {
    name: 'stop-with-tools',
    summary: 'Tool calls end with finish_reason stop, or stop_reason end_turn: Ollama, LM Studio, several gateways.',
    wires: ['chat', 'messages'],
    create: () => ({
      frames: (frames) => frames.map((frame) => withStopReason(withFinish(frame, 'stop'), 'end_turn')),
    }),
  },
  {
    name: 'finish-tool-use',
    summary: 'The finish_reason is tool_use: models of Anthropic behind thin proxies.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => frames.map((frame) => withFinish(frame, 'tool_use')) }),
  },
  {
    name: 'finish-empty',
    summary: 'Every chunk has finish_reason "", which is no finish: Claude through several proxies.',
    wires: ['chat'],
    create: () => ({
      frames: (frames) =>
        frames.map((frame) =>
          withChoices(frame, (choice) => ({ ...choice, finish_reason: choice.finish_reason ?? '' })),
        ),
    }),
  },
  {
    name: 'finish-per-choice',
    summary: 'Two choices in one event, each with its own call and finish: servers that answer with n > 1.',
    wires: ['chat'],
    create: () => ({ frames: twoChoices }),
  },
  {
    name: 'length-mid-call',
    summary: 'The token limit ends the answer inside the arguments of a call: every server, with a small limit.',
    wires: ['chat', 'messages'],
    lossy: true,
    create: () => ({ frames: (frames) => limitInBlock(lengthMidCall(frames)) }),
  },
  {
    name: 'empty-choices',
    summary: 'Chunks with an empty choices array come first: Azure (prompt_filter_results).',
    wires: ['chat'],
    create: () => ({ frames: (frames) => emptyChoices(frames) }),
  },
  {
    name: 'null-content',
    summary: 'Deltas carry content null beside what they mean, and the role again: many local servers.',
    wires: ['chat'],
    create: () => ({
      frames: (frames) =>
        frames.map((frame) => withDelta(frame, (delta) => ({ role: 'assistant', content: null, ...delta }))),
    }),
  },
];

/** An answer of Messages has the input as an object: it is cut in the stream. */
const halfWritten: Readonly<Record<FaultWire, (part: ReplyPart) => ReplyPart>> = {
  chat: withCutArguments,
  responses: withCutArguments,
  messages: (part) => part,
  websocket: withCutArguments,
};

function withCutArguments(part: ReplyPart): ReplyPart {
  if (part.type !== 'tool_call' || part.custom === true) return part;
  const text = stringOf(part.arguments) ?? JSON.stringify(part.arguments ?? {});
  return { ...part, arguments: text.slice(0, -1) };
}

function without(key: string): (call: JsonObject) => JsonObject {
  return (call) => Object.fromEntries(Object.entries(call).filter(([name]) => name !== key));
}

/** The tool-call fragments of a chunk. */
function callsOf(frame: Frame): readonly JsonObject[] {
  return choicesOf(frame).flatMap((choice) => {
    const calls = isObject(choice.delta) ? choice.delta.tool_calls : undefined;
    return Array.isArray(calls) ? (calls as unknown[]).filter(isObject) : [];
  });
}

function functionOf(call: JsonObject): JsonObject {
  return isObject(call.function) ? call.function : {};
}

interface WholeCall {
  readonly index: unknown;
  id: unknown;
  name: unknown;
  arguments: string;
}

function collectCalls(frames: readonly Frame[]): WholeCall[] {
  const byIndex = new Map<unknown, WholeCall>();
  for (const call of frames.flatMap(callsOf)) {
    let whole = byIndex.get(call.index);
    if (whole === undefined) byIndex.set(call.index, (whole = { index: call.index, id: '', name: '', arguments: '' }));
    whole.id = whole.id === '' ? (call.id ?? '') : whole.id;
    whole.name = whole.name === '' ? (functionOf(call).name ?? '') : whole.name;
    whole.arguments += stringOf(functionOf(call).arguments) ?? '';
  }
  return [...byIndex.values()];
}

/** Every call as one fragment, in the chunk of its first one. */
export function wholeCalls(frames: Frame[]): Frame[] {
  const whole = collectCalls(frames);
  return frames.flatMap((frame) => {
    const calls = callsOf(frame);
    if (calls.length === 0) return [frame];
    const first = calls.find((call) => typeof call.id === 'string');
    const call = whole.find((one) => first !== undefined && one.id === first.id);
    if (call === undefined) return [];
    const fragment = {
      index: call.index,
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: call.arguments },
    };
    return [withToolCalls(frame, () => fragment)];
  });
}

function argumentsAsObject(call: JsonObject): JsonObject {
  const inner = functionOf(call);
  const value = parseJson(stringOf(inner.arguments) ?? '');
  return isObject(value) ? { ...call, function: { ...inner, arguments: value } } : call;
}

function emptyName(call: JsonObject): JsonObject {
  return call.id === undefined ? { ...call, function: { ...functionOf(call), name: '' } } : call;
}

function idLate(frames: Frame[]): Frame[] {
  const ids = new Map(collectCalls(frames).map((call) => [call.index, call.id]));
  const left = new Map<unknown, number>();
  for (const call of frames.flatMap(callsOf)) left.set(call.index, (left.get(call.index) ?? 0) + 1);
  return frames.map((frame) =>
    withToolCalls(frame, (call) => {
      const more = (left.get(call.index) ?? 1) - 1;
      left.set(call.index, more);
      return more === 0 ? { ...call, id: ids.get(call.index) } : without('id')(call);
    }),
  );
}

/** The id and the name of a call on each of its fragments. */
export function idRepeated(frames: Frame[]): Frame[] {
  const calls = new Map(collectCalls(frames).map((call) => [call.index, call]));
  return frames.map((frame) =>
    withToolCalls(frame, (call) => {
      const known = calls.get(call.index);
      return { ...call, id: known?.id, type: 'function', function: { ...functionOf(call), name: known?.name } };
    }),
  );
}

/** The fragments of all calls, one of each in turn. */
function interleave(frames: Frame[]): Frame[] {
  return alternating(frames, (frame) => callsOf(frame)[0]?.index);
}

function asParts(delta: JsonObject): JsonObject {
  return typeof delta.content === 'string' && delta.content !== ''
    ? { ...delta, content: [{ type: 'text', text: delta.content }] }
    : delta;
}

/** One chunk with the whole message, then the finish. */
function asMessage(frames: Frame[]): Frame[] {
  const texts = frames.flatMap(choicesOf).map((choice) => (isObject(choice.delta) ? choice.delta.content : ''));
  const content = texts.filter((text) => typeof text === 'string').join('');
  const calls = collectCalls(frames).map((call) => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.arguments },
  }));
  const message = { role: 'assistant', content, ...(calls.length === 0 ? {} : { tool_calls: calls }) };
  let told = false;
  return frames.flatMap((frame): Frame[] => {
    if (frame.kind !== 'json' || choicesOf(frame).length === 0 || hasFinish(frame)) return [frame];
    if (told) return [];
    told = true;
    return [{ ...frame, value: { ...frame.value, choices: [{ index: 0, message, finish_reason: null }] } }];
  });
}

/** All calls in one event, each in a choice of its own with its own finish. */
function twoChoices(frames: Frame[]): Frame[] {
  const whole = collectCalls(frames);
  const choices = whole.map((call, index) => ({
    index,
    delta: {
      tool_calls: [
        { index: 0, id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } },
      ],
    },
    finish_reason: 'tool_calls',
  }));
  return frames.flatMap((frame): Frame[] => {
    if (callsOf(frame).length > 0) return [];
    return hasFinish(frame) && frame.kind === 'json' && choices.length > 0
      ? [{ ...frame, value: { ...frame.value, choices } }]
      : [frame];
  });
}

/** Without the last fragment of the calls, and with `length` as the finish. */
function lengthMidCall(frames: Frame[]): Frame[] {
  const last = frames.findLastIndex((frame) => callsOf(frame).length > 0);
  return frames.filter((_, i) => i !== last).map((frame) => withFinish(frame, 'length'));
}

function emptyChoices(frames: Frame[]): Frame[] {
  const first = frames.find((frame) => frame.kind === 'json' && isDelta(frame)) ?? frames[0];
  if (first?.kind !== 'json') return frames;
  return [
    { kind: 'json', event: '', value: { ...first.value, choices: [], prompt_filter_results: [{ prompt_index: 0 }] } },
    ...frames,
  ];
}
