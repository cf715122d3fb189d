import { readFile } from 'node:fs/promises';
import { parse as parseToml } from 'smol-toml';
import { z } from 'zod';
import { describeIssues } from './issues.ts';
import { readJson } from './read-json.ts';
import { fromAimockFixtures, isAimockFile } from './aimock-fixtures.ts';
import { MockUsageError } from '../errors.ts';
import { parseFault } from '../faults/list.ts';
import type { FieldMatch } from '../scenario/expected-request.ts';
import type { Match, Reply, ReplyPart, Scenario } from '../scenario/scenario.ts';

const count = z.int('must be a whole number').min(0, 'must not be negative');
const text = z.string('must be a string');
const pattern = z.union([text, z.strictObject({ regex: text, flags: text.optional() })]);

const match = z.strictObject({
  user: pattern.optional(),
  system: pattern.optional(),
  model: pattern.optional(),
  tool: text.optional(),
  tool_output: pattern.optional(),
});

const part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text, chunk: count.optional() }),
  z.strictObject({ type: z.literal('refusal'), text }),
  z.strictObject({ type: z.literal('reasoning'), text, summary: z.boolean().optional(), chunk: count.optional() }),
  z.strictObject({
    type: z.literal('tool_call'),
    name: text.min(1, 'must not be empty'),
    arguments: z.unknown().optional(),
    call_id: text.optional(),
    namespace: text.optional(),
    custom: z.boolean().optional(),
    chunk: count.optional(),
  }),
  z.strictObject({ type: z.literal('item'), item: z.record(z.string(), z.unknown()) }),
]);

const shortCall = z.strictObject({
  name: text.min(1, 'must not be empty'),
  arguments: z.unknown().optional(),
  call_id: text.optional(),
  namespace: text.optional(),
  custom: z.boolean().optional(),
  chunk: count.optional(),
});

const usage = z.strictObject({
  input_tokens: count,
  output_tokens: count,
  total_tokens: count.optional(),
  cached_tokens: count.optional(),
  reasoning_tokens: count.optional(),
});

const reply = z.strictObject({
  parts: z.array(part).optional(),
  reasoning: text.optional(),
  text: text.optional(),
  tool_calls: z.array(shortCall).optional(),
  usage: usage.nullable().optional(),
  finish: z.enum(['stop', 'length', 'content_filter']).optional(),
  error: z
    .strictObject({ status: count.optional(), code: text.optional(), type: text.optional(), message: text })
    .optional(),
  delay_ms: count.optional(),
  pace_ms: count.optional(),
  headers: z.record(z.string(), text).optional(),
  faults: z.array(text).optional(),
});

const turn = z.strictObject({ when: match.optional(), replies: z.array(reply).min(1, 'needs at least one reply') });

const field = z.record(z.string(), z.custom<FieldMatch>());

const expected = z.strictObject({
  name: text.optional(),
  path: text.optional(),
  headers: field.optional(),
  body: field.optional(),
});

const file = z.strictObject({
  name: text.optional(),
  model: text.optional(),
  expect: z.array(expected).optional(),
  turns: z.array(turn).min(1, 'needs at least one turn'),
});

type FilePart = z.infer<typeof part>;
type FileReply = z.infer<typeof reply>;
type FileCall = z.infer<typeof shortCall>;

/** Every key that a scenario may have anywhere, for "did you mean". */
const knownKeys = [file, turn, match, expected, reply, usage, shortCall].flatMap((schema) => Object.keys(schema.shape));

/**
 * Reads a scenario file: JSON, or TOML when the name ends in `.toml`.
 *
 * @throws MockUsageError when it cannot be read, or says something that a scenario cannot say: one line per problem.
 */
export async function readScenarioFile(path: string): Promise<Scenario> {
  const source = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new MockUsageError(
      `cannot read the scenario ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  return parseScenario(source, { path, toml: path.endsWith('.toml') });
}

/** Reads a scenario from its text. */
export function parseScenario(
  source: string,
  options: { readonly path?: string; readonly toml?: boolean } = {},
): Scenario {
  const where = options.path ?? 'scenario';
  const value = options.toml === true ? readToml(source, where) : readJson(source, where);
  if (isAimockFile(value)) return fromAimockFixtures(value);
  const result = file.safeParse(value);
  if (!result.success) throw new MockUsageError(describeIssues(result.error.issues, where, knownKeys));
  return toScenario(result.data, where);
}

function readToml(source: string, where: string): unknown {
  try {
    return parseToml(source);
  } catch (error) {
    throw new MockUsageError(
      `${where}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
    );
  }
}

function toScenario(data: z.infer<typeof file>, where: string): Scenario {
  return {
    ...defined({ name: data.name, model: data.model, expect: data.expect }),
    turns: data.turns.map((one) => ({
      ...(one.when === undefined ? {} : { when: toMatch(one.when) }),
      replies: one.replies.map((each) => toReply(each, where)),
    })),
  };
}

function toMatch(given: z.infer<typeof match>): Match {
  return defined({
    user: toPattern(given.user),
    system: toPattern(given.system),
    model: toPattern(given.model),
    tool: given.tool,
    toolOutput: toPattern(given.tool_output),
  });
}

function toPattern(given: z.infer<typeof pattern> | undefined): string | RegExp | undefined {
  if (given === undefined || typeof given === 'string') return given;
  try {
    return new RegExp(given.regex, given.flags);
  } catch (error) {
    throw new MockUsageError(`scenario: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function toReply(given: FileReply, where: string): Reply {
  for (const fault of given.faults ?? []) {
    try {
      parseFault(fault);
    } catch (error) {
      throw new MockUsageError(`${where}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return {
    parts: toParts(given),
    ...defined({
      usage: given.usage === undefined || given.usage === null ? given.usage : toUsage(given.usage),
      finish: given.finish,
      error: given.error === undefined ? undefined : { ...defined({ ...given.error }), message: given.error.message },
      delayMs: given.delay_ms,
      paceMs: given.pace_ms,
      headers: given.headers,
      faults: given.faults,
    }),
  };
}

/** The parts in their order, or the short form: reasoning, text, then calls. */
function toParts(given: FileReply): readonly ReplyPart[] {
  return [
    ...(given.parts ?? []).map(toPart),
    ...(given.reasoning === undefined ? [] : [{ type: 'reasoning' as const, text: given.reasoning }]),
    ...(given.text === undefined ? [] : [{ type: 'text' as const, text: given.text }]),
    ...(given.tool_calls ?? []).map(toCall),
  ];
}

function toPart(given: FilePart): ReplyPart {
  switch (given.type) {
    case 'tool_call':
      return toCall(given);
    case 'text':
      return { type: 'text', text: given.text, ...defined({ chunk: given.chunk }) };
    case 'reasoning':
      return { type: 'reasoning', text: given.text, ...defined({ chunk: given.chunk, summary: given.summary }) };
    case 'refusal':
    case 'item':
      return given;
  }
}

function toCall(given: FileCall): ReplyPart {
  const { name, arguments: args, call_id: callId, namespace, custom, chunk } = given;
  return { type: 'tool_call', name, ...defined({ arguments: args, callId, namespace, custom, chunk }) };
}

function toUsage(given: z.infer<typeof usage>): NonNullable<Reply['usage']> {
  return {
    input_tokens: given.input_tokens,
    input_tokens_details: { cached_tokens: given.cached_tokens ?? 0 },
    output_tokens: given.output_tokens,
    output_tokens_details: { reasoning_tokens: given.reasoning_tokens ?? 0 },
    total_tokens: given.total_tokens ?? given.input_tokens + given.output_tokens,
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys whose value is `undefined`. */
function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
