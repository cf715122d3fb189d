import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import { thinkTags } from '@turnwire/wire/internal/dialects/think-tags';
import type { Frame } from '../answer.ts';
import { partsOf, type ReplyPart } from '../scenario/scenario.ts';
import { everywhere, onOpenAiWires, overHttp, type FaultSpec } from './fault.ts';
import { chatFrame, isUsageOnly, withDelta, withFinish, withToolCalls, withToolUse } from '../frames.ts';
import { withCallId, withResponseUsage } from './responses-dialects.ts';
import { oneOf, word } from './args.ts';
import { beforeEnd } from './ending.ts';
import { idRepeated, wholeCalls } from './tools.ts';

const tagNames = [...thinkTags.map(({ open }) => open.slice(1, -1)), 'opened'];

const changedIds = ['bare', 'named'] as const;

const usageDialects = ['anthropic', 'deepseek', 'kimi', 'groq', 'perplexity'] as const;

/** Errors without the member `error`, by the rows of the decoder's table. */
const flatErrors = {
  flat: { code: '1301', message: 'The provider refused.' },
  errors: { errors: [{ code: 7009, message: 'The provider refused.' }], success: false, result: null },
  success: { success: false, msg: 'The provider refused.' },
  object: { object: 'error', message: 'The provider refused.' },
  type: { type: 'error', message: 'The provider refused.' },
  detail: { detail: 'The provider refused.' },
} as const satisfies Readonly<Record<string, JsonObject>>;

const flatShapes = Object.keys(flatErrors) as (keyof typeof flatErrors)[];

/** Faults of servers that say what others say in words and shapes of their own. */
export const dialectFaults: readonly FaultSpec[] = [
  {
    name: 'finish-spelling',
    args: '[WORD]',
    summary: 'The finish_reason is WORD (default MAX_TOKENS): Gemini, Anthropic models and GLM behind gateways.',
    wires: ['chat'],
    lossy: true,
    create: (arg) => {
      const reason = word('finish-spelling', arg, 'MAX_TOKENS');
      return { frames: (frames) => frames.map((frame) => withFinish(frame, reason)) };
    },
  },
  {
    name: 'tool-id-changes',
    args: '[HOW]',
    choices: changedIds,
    summary:
      'Every fragment of a call has an id of its own, and no name (bare, default) or the name again (named): vLLM and its forks, LiteLLM before OCI.',
    wires: ['chat'],
    create: (arg) => {
      const how = oneOf('tool-id-changes', arg, changedIds, 'bare');
      const change = numbered((call, n) => ({ ...call, id: `call_piece_${n}` }));
      return { frames: (frames) => change(how === 'named' ? idRepeated(frames) : frames) };
    },
  },
  {
    name: 'tool-id-shared',
    summary: 'Parallel calls have one id, and an index for each: MiMo and Kimi behind proxies.',
    wires: everywhere,
    create: () => ({ frames: (frames) => frames.map((frame) => withCallId(withSharedId(frame), 'call_shared')) }),
  },
  {
    name: 'tool-index-late',
    summary: 'The first fragment of a call has no index, the others have one: gateways before other APIs.',
    wires: ['chat'],
    create: () => ({
      frames: (frames) =>
        frames.map((frame) =>
          withToolCalls(frame, ({ index, ...call }) => (call.id === undefined ? { index, ...call } : call)),
        ),
    }),
  },
  {
    name: 'tool-index-stray',
    summary: 'The index counts fragments instead of calls: Nebius, Cerebras.',
    wires: ['chat'],
    create: () => ({ frames: numbered((call, n) => ({ ...call, index: n })) }),
  },
  {
    name: 'tool-args-doubled',
    summary: 'The arguments of a call come twice in full: gateways that add the finished call to its fragments.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => wholeCalls(frames).map((frame) => withToolCalls(frame, doubled)) }),
  },
  {
    name: 'choice-error',
    summary: 'The error is inside the choice, with its own code, and no finish_reason comes: OpenRouter.',
    wires: ['chat'],
    lossy: true,
    create: () => ({
      frames: (frames) => [
        ...beforeEnd(frames),
        chatFrame(frames, {
          choices: [{ index: 0, delta: {}, error: { code: 502, message: 'Provider disconnected' } }],
        }),
      ],
    }),
  },
  {
    name: 'error-flat',
    args: '[SHAPE]',
    choices: flatShapes,
    summary:
      'An error without the member error ends the answer: code and message (DashScope, GLM), errors (Cloudflare), success, object, type, detail (FastAPI).',
    wires: onOpenAiWires,
    lossy: true,
    create: (arg) => {
      return { frames: endingIn(flatErrors[oneOf('error-flat', arg, flatShapes, 'flat')]) };
    },
  },
  {
    name: 'base-resp',
    summary: 'The error is in base_resp, beside choices that are null: MiniMax.',
    wires: onOpenAiWires,
    lossy: true,
    create: () => ({
      frames: endingIn({ choices: null, base_resp: { status_code: 1000, status_msg: 'unknown error' } }),
    }),
  },
  {
    name: 'mistral-thinking',
    summary: 'Reasoning comes as parts of the content, of type thinking: Mistral.',
    wires: ['chat'],
    create: () => ({ frames: (frames) => frames.map((frame) => withDelta(frame, asThinking)) }),
  },
  {
    name: 'think-tags',
    args: '[TAG]',
    choices: tagNames,
    summary:
      'Reasoning comes in the text, between TAG (default think) and its end; opened: the prompt had the first tag. Servers without a reasoning parser.',
    wires: overHttp,
    create: (arg) => {
      const tag = oneOf('think-tags', arg, tagNames, 'think');
      return { reply: (reply, { request }) => ({ ...reply, parts: thinkingAloud(partsOf(reply, request), tag) }) };
    },
  },
  {
    name: 'usage-names',
    args: '[WHOSE]',
    choices: usageDialects,
    summary:
      'Usage has the names of WHOSE API: anthropic (default), deepseek, kimi, groq, perplexity; on the Responses wire those of Chat Completions.',
    wires: onOpenAiWires,
    create: (arg) => {
      const whose = oneOf('usage-names', arg, usageDialects, 'anthropic');
      return { frames: (frames) => frames.map((frame) => withResponseUsage(withUsageNames(frame, whose))) };
    },
  },
];

/** Each thought at the beginning of the text behind it. */
function thinkingAloud(parts: readonly ReplyPart[], tag: string): readonly ReplyPart[] {
  return parts.flatMap((part, place): readonly ReplyPart[] => {
    const before = parts[place - 1];
    const next = parts[place + 1];
    if (part.type === 'text' && before?.type === 'reasoning') {
      return [{ ...part, text: thoughtText(before.text, tag) + part.text }];
    }
    if (part.type !== 'reasoning') return [part];
    if (next?.type === 'text') return [];
    return [{ type: 'text', text: thoughtText(part.text, tag) }];
  });
}

function thoughtText(thought: string, tag: string): string {
  return tag === 'opened' ? `${thought}\n</think>\n\n` : `<${tag}>\n${thought}\n</${tag}>\n\n`;
}

function withSharedId(frame: Frame): Frame {
  const shared = (call: JsonObject): JsonObject => (call.id === undefined ? call : { ...call, id: 'call_shared' });
  return withToolUse(withToolCalls(frame, shared), shared);
}

/** Each fragment of a call changed by its place among all of them. */
function numbered(change: (call: JsonObject, n: number) => JsonObject): (frames: Frame[]) => Frame[] {
  return (frames) => {
    let n = 0;
    return frames.map((frame) => withToolCalls(frame, (call) => change(call, n++)));
  };
}

function doubled(call: JsonObject): JsonObject {
  const inner = isObject(call.function) ? call.function : {};
  return typeof inner.arguments === 'string'
    ? { ...call, function: { ...inner, arguments: inner.arguments.repeat(2) } }
    : call;
}

function endingIn(value: JsonObject): (frames: Frame[]) => Frame[] {
  return (frames) => [...beforeEnd(frames), { kind: 'json', event: '', value }];
}

function asThinking({ reasoning_content: text, ...rest }: JsonObject): JsonObject {
  if (typeof text !== 'string' || text === '') return text === undefined ? rest : { ...rest, reasoning_content: text };
  return { ...rest, content: [{ type: 'thinking', thinking: [{ type: 'text', text }] }] };
}

function withUsageNames(frame: Frame, whose: (typeof usageDialects)[number]): Frame {
  if (frame.kind !== 'json' || !isUsageOnly(frame) || !isObject(frame.value.usage)) return frame;
  const { usage, ...value } = frame.value;
  const { prompt_tokens: input, completion_tokens: output } = usage;
  const counts = { prompt_tokens: input, completion_tokens: output };
  switch (whose) {
    case 'anthropic':
      return {
        ...frame,
        value: {
          ...value,
          usage: {
            input_tokens: input,
            output_tokens: output,
            cache_read_input_tokens: 0,
            cache_creation_input_tokens: 0,
          },
        },
      };
    case 'deepseek':
      return { ...frame, value: { ...value, usage: { ...counts, prompt_cache_hit_tokens: 0 } } };
    case 'kimi':
      return { ...frame, value: { ...value, usage: { ...counts, cached_tokens: 0 } } };
    case 'perplexity':
      return { ...frame, value: { ...value, usage: { ...counts, reasoning_tokens: 0 } } };
    case 'groq':
      return { ...frame, value: { ...value, x_groq: { usage: counts } } };
  }
}
