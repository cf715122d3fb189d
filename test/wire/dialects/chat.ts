import fc from 'fast-check';
import type { JsonObject } from '../../../packages/wire/src/base/json.ts';
import { finishWords } from '../../../packages/wire/src/dialects/finish-reasons.ts';
import type { reasoningFields } from '../../../packages/wire/src/dialects/reasoning-shapes.ts';
import { errorExamples, type ErrorExample } from '../error-examples.ts';
import {
  piecesOf,
  toldCalls,
  usageDialects,
  writeUsage,
  type Answer,
  type Call,
  type UsageDialect,
  type Written,
} from './answers.ts';

type ReasoningField = (typeof reasoningFields)[number];

/** Every shape of reasoning of the table, and the parts of a content. */
const reasoningShapes = {
  reasoning: [
    (text) => ({ reasoning: text }),
    (text) => ({ reasoning: { text } }),
    (text) => ({ reasoning: { content: text } }),
  ],
  reasoning_content: [
    (text) => ({ reasoning_content: text }),
    (text) => ({ reasoning: null, reasoning_content: text, reasoning_details: [{ type: 'reasoning.text', text }] }),
  ],
  reasoning_details: [
    (text) => ({ reasoning_details: [{ type: 'reasoning.text', text }] }),
    (text) => ({ reasoning_details: [{ type: 'reasoning.summary', summary: text }] }),
  ],
  thinking_blocks: [(text) => ({ thinking_blocks: [{ type: 'thinking', thinking: text }] })],
  thinking: [(text) => ({ thinking: text }), (text) => ({ thinking: [{ type: 'text', text }] })],
  content: [
    (text) => ({ content: [{ type: 'thinking', thinking: [{ type: 'text', text }] }] }),
    (text) => ({ content: [{ type: 'reasoning', text }] }),
  ],
} satisfies Record<ReasoningField | 'content', ((text: string) => JsonObject)[]>;

/** How a server names the fragments of its calls; which of these go together is what {@link callDialects} lists. */
interface CallDialect {
  readonly id: 'first' | 'every' | 'changing' | 'shared' | 'none';
  readonly index: 'own' | 'same' | 'none' | 'late' | 'stray';
  /** Name and arguments of a call in one fragment, or the name alone first. */
  readonly whole: boolean;
  readonly args: 'text' | 'object' | 'doubled';
  /** They are calls of custom tools, whose input is any text. */
  readonly custom: boolean;
}

/** What is told apart by nothing is no dialect: one call under changing ids at a place that is not its own. */
const callNames = [
  { id: 'first', index: 'own' },
  { id: 'first', index: 'same' },
  { id: 'first', index: 'none' },
  { id: 'first', index: 'late' },
  { id: 'first', index: 'stray' },
  { id: 'every', index: 'own' },
  { id: 'every', index: 'same' },
  { id: 'every', index: 'none' },
  { id: 'changing', index: 'own' },
  { id: 'shared', index: 'own' },
  { id: 'none', index: 'own' },
] as const;

/** Ids that tell one call from another by themselves. */
const NAMED: ReadonlySet<CallDialect['id']> = new Set(['first', 'every']);

const callDialects: fc.Arbitrary<CallDialect> = fc
  .tuple(fc.constantFrom(...callNames), fc.boolean(), fc.constantFrom('text', 'object', 'doubled'), fc.nat(3))
  .map(([names, whole, args, chance]) => {
    // Whether a text is whole says nothing of where it ends.
    const custom = chance === 0 && NAMED.has(names.id) && names.index !== 'stray';
    if (custom) return { ...names, whole, args: 'text', custom };
    // What comes behind whole arguments under another id or at another index is another call.
    const plain = args === 'doubled' && (names.id === 'changing' || names.index === 'stray');
    return { ...names, whole: whole || args === 'object', args: plain ? 'text' : args, custom };
  });

export interface ChatDialect {
  readonly reasoning: (text: string) => JsonObject;
  readonly content: 'text' | 'parts';
  readonly calls: CallDialect;
  /** Picks a word of the finish's class. */
  readonly word: number;
  readonly spelling: 'plain' | 'capitals' | 'enum' | 'prefix';
  readonly finishAt: 'own' | 'last' | 'missing';
  readonly sentinel: '[DONE]' | 'DONE' | ' [DONE] ' | 'none';
  readonly usage: { readonly names: UsageDialect; readonly at: 'chunk' | 'finish' | 'choice' | 'groq' };
  /** The whole answer comes as a `message` in its chunk. */
  readonly message: boolean;
  readonly error: { readonly example: ErrorExample; readonly at: 'event' | 'choice' };
  /** The calls are those of a second choice. */
  readonly choices: 'one' | 'two';
  /** `finish_reason: ""`, `usage: null` and the like in every chunk. */
  readonly empties: boolean;
}

export const chatDialects: fc.Arbitrary<ChatDialect> = fc.record({
  reasoning: fc.constantFrom(...Object.values(reasoningShapes).flat()),
  content: fc.constantFrom('text', 'parts'),
  calls: callDialects,
  word: fc.nat(40),
  spelling: fc.constantFrom('plain', 'capitals', 'enum', 'prefix'),
  finishAt: fc.constantFrom('own', 'own', 'last', 'missing'),
  sentinel: fc.constantFrom('[DONE]', 'DONE', ' [DONE] ', 'none'),
  usage: fc.record({ names: usageDialects, at: fc.constantFrom('chunk', 'finish', 'choice', 'groq') }),
  message: fc.boolean(),
  error: fc.record({ example: fc.constantFrom(...errorExamples), at: fc.constantFrom('event', 'choice') }),
  choices: fc.constantFrom('one', 'one', 'two'),
  empties: fc.boolean(),
});

const CLASSES: Readonly<Record<Answer['end'], readonly (keyof typeof finishWords)[]>> = {
  good: ['stop', 'calls'],
  limit: ['limit'],
  full: ['full_context'],
  filter: ['filter'],
  failed: ['failed'],
  error: [],
  close: [],
};

/** A word for the end of the answer, spelled as the dialect does. */
function finishOf({ end }: Answer, { word, spelling }: ChatDialect): string {
  const words = CLASSES[end].flatMap((one): readonly string[] => finishWords[one]);
  const plain = words[word % words.length] ?? 'stop';
  switch (spelling) {
    case 'plain':
      return plain;
    case 'capitals':
      return plain.toUpperCase();
    case 'enum':
      return `FinishReason.${plain.toUpperCase()}`;
    case 'prefix':
      return `FINISH_REASON_${plain.toUpperCase()}`;
  }
}

/** The kind of error that the answer ends in. */
export function chatErrorKind(answer: Answer, { error }: ChatDialect): string {
  switch (answer.end) {
    case 'good':
      return 'completed';
    case 'limit':
      return answer.usage === undefined ? 'context_window_exceeded' : 'incomplete';
    case 'full':
      return 'context_window_exceeded';
    case 'filter':
      return 'content_filter';
    case 'failed':
      return 'server_error';
    case 'error':
      return error.at === 'choice' ? 'server_overloaded' : error.example.kind;
    case 'close':
      return 'stream_truncated';
  }
}

/** The answer as the events of a stream. */
export function writeChat(answer: Answer, dialect: ChatDialect): Written[] {
  const two = dialect.choices === 'two';
  const said = saidIn(answer, dialect);
  const finish = CLASSES[answer.end].length === 0 ? undefined : finishOf(answer, dialect);
  const missing = dialect.finishAt === 'missing' && answer.end === 'good' && dialect.sentinel !== 'none';
  const atLast = dialect.finishAt === 'last' && said.length > 0 && !two;
  const usage = answer.usage === undefined ? undefined : writeUsage(answer.usage, dialect.usage.names);
  const chunks = [
    chunkOf(choicesOf({ delta: { role: 'assistant', content: '' } }, two), dialect),
    ...said.map((choice) => chunkOf([choice], dialect)),
    ...(finish === undefined || missing || atLast ? [] : [chunkOf(choicesOf({ delta: {} }, two), dialect)]),
  ];
  if (finish !== undefined && !missing) withFinish(chunks, finish);
  return [
    ...withUsage(chunks, usage, dialect),
    ...(answer.end === 'error' ? [errorChunk(dialect)] : []),
    ...(dialect.sentinel === 'none' || answer.end === 'close' ? [] : [dialect.sentinel]),
  ].map((data) => ({ data }));
}

interface Chunk extends JsonObject {
  readonly choices: readonly JsonObject[];
}

/** The same in the one choice, or in each of two. */
function choicesOf(choice: JsonObject, two: boolean): JsonObject[] {
  return two ? [choice, { ...choice, index: 1 }] : [choice];
}

function chunkOf(choices: readonly JsonObject[], { empties }: ChatDialect): Chunk {
  const idle = empties ? { finish_reason: '', logprobs: null } : { finish_reason: null };
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    ...(empties ? { usage: null, error: null, citations: null } : {}),
    choices: choices.map((choice) => ({ index: 0, ...choice, ...idle })),
  };
}

function withFinish(chunks: Chunk[], finish_reason: string): void {
  const last = chunks.pop();
  if (last === undefined) return;
  // The reason of the answer is that of its last choice.
  const choices = last.choices.map((choice, place) => ({
    ...choice,
    finish_reason: place === last.choices.length - 1 ? finish_reason : 'stop',
  }));
  chunks.push({ ...last, choices });
}

function withUsage(
  chunks: readonly Chunk[],
  usage: JsonObject | undefined,
  { usage: { at } }: ChatDialect,
): JsonObject[] {
  const last = chunks.at(-1);
  if (usage === undefined || last === undefined) return [...chunks];
  const before = chunks.slice(0, -1);
  switch (at) {
    case 'chunk':
      return [...chunks, { id: 'chatcmpl-1', choices: [], usage }];
    case 'finish':
      return [...before, { ...last, usage }];
    case 'choice':
      return [...before, { ...last, choices: [{ ...last.choices[0], usage }, ...last.choices.slice(1)] }];
    case 'groq':
      return [...before, { ...last, usage: null, x_groq: { usage } }];
  }
}

function errorChunk({ error: { example, at } }: ChatDialect): JsonObject {
  if (at === 'event') return { ...example.event };
  return { choices: [{ index: 0, delta: {}, error: { code: 503, message: 'Provider disconnected' } }] };
}

/** What the choices say, piece by piece. */
function saidIn(answer: Answer, dialect: ChatDialect): JsonObject[] {
  const calls = toldCalls(answer);
  const last = dialect.choices === 'two' ? { index: 1 } : {};
  if (!dialect.message) {
    const fragments = fragmentsOf(calls, dialect.calls).map((fragment) => ({
      delta: { tool_calls: [fragment] },
      ...last,
    }));
    return [...deltasOf(answer, dialect).map((delta) => ({ delta })), ...fragments];
  }
  return messagesOf(answer, dialect).map((message, index) => ({ message, index }));
}

/** The answer as the message of each choice. */
function messagesOf(answer: Answer, dialect: ChatDialect): JsonObject[] {
  const calls = toldCalls(answer);
  if (dialect.choices === 'one') return [messageOf(answer, dialect, calls)];
  const silent = { ...answer, reasoning: [], text: [], refusal: [] };
  return [messageOf(answer, dialect, []), messageOf(silent, dialect, calls)];
}

function deltasOf(answer: Answer, dialect: ChatDialect): JsonObject[] {
  return [
    ...answer.reasoning.map(dialect.reasoning),
    ...answer.text.map((text) => ({ content: contentOf(text, dialect) })),
    ...answer.refusal.map((refusal) => ({ refusal })),
  ];
}

function contentOf(text: string, { content }: ChatDialect): unknown {
  return content === 'text' ? text : [{ type: 'text', text }];
}

/** A message with these calls, in a chunk or in a body. */
function messageOf(answer: Answer, dialect: ChatDialect, calls: readonly Call[]): JsonObject {
  const thought = answer.reasoning.length === 0 ? {} : dialect.reasoning(answer.reasoning.join(''));
  const said = answer.text.length === 0 ? [] : [{ type: 'text', text: answer.text.join('') }];
  const parts = Array.isArray(thought['content']) ? [...(thought['content'] as unknown[]), ...said] : said;
  const plain = dialect.content === 'text' && !('content' in thought);
  return {
    role: 'assistant',
    ...thought,
    content: plain ? answer.text.join('') : parts,
    ...(answer.refusal.length === 0 ? {} : { refusal: answer.refusal.join('') }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map((call, n) => wholeCall(call, n, dialect.calls)) }),
  };
}

function wholeCall(call: Call, n: number, dialect: CallDialect): JsonObject {
  const { index } = namesOf(n, n, dialect);
  return {
    ...(dialect.id === 'none' ? {} : { id: dialect.id === 'shared' ? 'call_shared' : `call_${n}` }),
    ...(index === undefined ? {} : { index }),
    ...callMembers({ name: call.name, arguments: argumentsOf(call.args, dialect) }, dialect),
  };
}

/** Arguments in one piece. Half-written ones are no object, and are not told twice. */
function argumentsOf(args: string, dialect: CallDialect): unknown {
  const isWhole = args.endsWith('}');
  if (dialect.args === 'object' && isWhole) return JSON.parse(args) as unknown;
  return dialect.args === 'doubled' && isWhole ? args.repeat(2) : args;
}

function fragmentsOf(calls: readonly Call[], dialect: CallDialect): JsonObject[] {
  let place = 0;
  return calls.flatMap((call, n) =>
    inPieces(call, dialect).map((inner, part) => {
      const { id, index } = namesOf(n, place++, dialect, part === 0);
      return {
        ...(id === undefined ? {} : { id }),
        ...(index === undefined ? {} : { index }),
        ...callMembers(inner, dialect),
      };
    }),
  );
}

/** What a call, or a piece of one, has under its type. */
function callMembers({ arguments: input, ...name }: JsonObject, { custom }: CallDialect): JsonObject {
  const given = input === undefined ? {} : custom ? { input } : { arguments: input };
  return custom
    ? { type: 'custom', custom: { ...name, ...given } }
    : { type: 'function', function: { ...name, ...given } };
}

function inPieces(call: Call, dialect: CallDialect): JsonObject[] {
  if (dialect.args === 'object') return [{ name: call.name, arguments: argumentsOf(call.args, dialect) }];
  const pieces = piecesOf(call);
  const twice = dialect.args === 'doubled' && call.args.endsWith('}') ? [...pieces, call.args] : pieces;
  if (!dialect.whole) return [{ name: call.name }, ...twice.map((part) => ({ arguments: part }))];
  return twice.map((part, n) => (n === 0 ? { name: call.name, arguments: part } : { arguments: part }));
}

/**
 * @param call which call it is
 * @param place which fragment it is, of all
 */
function namesOf(
  call: number,
  place: number,
  { id, index }: CallDialect,
  first = true,
): { readonly id: string | undefined; readonly index: number | undefined } {
  const ids = {
    first: first ? `call_${call}` : undefined,
    every: `call_${call}`,
    changing: `call_${place}_${call}`,
    shared: first ? 'call_shared' : undefined,
    none: undefined,
  };
  const indexes = { own: call, same: 0, none: undefined, late: first ? undefined : call, stray: place };
  return { id: ids[id], index: indexes[index] };
}

/** The answer as one JSON body; `undefined` for one that none can tell. */
export function writeChatBody(answer: Answer, dialect: ChatDialect): JsonObject | undefined {
  if (answer.end === 'close') return undefined;
  if (answer.end === 'error') return errorChunk(dialect);
  const usage = answer.usage === undefined ? undefined : writeUsage(answer.usage, dialect.usage.names);
  const messages = messagesOf(answer, dialect);
  const finish = finishOf(answer, dialect);
  const choices = messages.map((message, index) => ({
    ...{ index, message },
    finish_reason: index === messages.length - 1 ? finish : 'stop',
  }));
  return { id: 'chatcmpl-1', object: 'chat.completion', choices, ...(usage === undefined ? {} : { usage }) };
}
