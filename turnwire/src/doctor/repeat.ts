import { isObject, parseJson } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire';
import { checkSample } from './checks.ts';
import { unusable, type Examination, type Outcome } from './examination.ts';
import { counted, type Finding } from './finding.ts';
import { inParallel } from './in-parallel.ts';
import type { Rate } from './rates.ts';
import { questions, toolSchemas, type Question } from './requests.ts';
import type { OurCall, Sample } from './sample.ts';

export interface RepeatOptions {
  /** How often each question is asked. */
  readonly times: number;
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Called when one more of them was answered. Must not throw. */
  readonly onRound: (wire: ProtocolId, done: number, times: number) => void;
}

/** The same question, streamed and not. */
interface Round {
  readonly streamed: Sample;
  readonly whole: Sample;
}

/** What the rounds on one wire showed. */
interface Repeated {
  readonly outcome: Outcome;
  readonly rates: readonly Rate[];
}

/** Asks for a call again and again, streamed and not, and counts what is random: a model's doing, and a parser's. */
export async function repeatCalls(
  examination: Examination,
  wire: ProtocolId,
  options: RepeatOptions,
): Promise<Repeated> {
  const why = await unusable(examination, wire);
  if (why !== undefined) return { outcome: why, rates: [] };
  const rounds: Round[] = [];
  const asked = Array.from({ length: options.times }, (_, n) => n);
  await inParallel(asked, options.concurrency, async () => {
    if (options.signal.aborted) return;
    rounds.push(await askTwice(examination, wire));
    options.onRound(wire, rounds.length, options.times);
  });
  const streamed = rounds.map((round) => round.streamed);
  const findings = findingsIn(streamed);
  const first = streamed.find((sample) => checkSample(sample).length > 0) ?? streamed[0];
  const seen = `${counted(rounds.length, 'round')}, ${counted(streamed.flatMap(({ ours }) => ours.calls).length, 'call')}`;
  const proof = first === undefined ? {} : { proof: examination.proofOf(first) };
  return { outcome: { seen, findings, ...proof }, rates: ratesOf(wire, rounds) };
}

async function askTwice(examination: Examination, wire: ProtocolId): Promise<Round> {
  const question: Question = questions.tool;
  return {
    streamed: await examination.ask(wire, question),
    whole: await examination.ask(wire, { ...question, stream: false }),
  };
}

/** Each finding once, with how many of the answers had it. */
function findingsIn(samples: readonly Sample[]): readonly Finding[] {
  const found = new Map<string, { first: Finding; count: number }>();
  for (const finding of samples.flatMap((sample) => checkSample(sample))) {
    const before = found.get(finding.quirk);
    if (before === undefined) found.set(finding.quirk, { first: finding, count: 1 });
    else before.count++;
  }
  return [...found.values()].map(({ first, count }) => ({
    quirk: first.quirk,
    seen: `${first.seen} (${count} of ${samples.length} answers)`,
  }));
}

type Row = readonly [name: string, what: string, k: number, n: number];

function ratesOf(wire: ProtocolId, rounds: readonly Round[]): readonly Rate[] {
  const samples = rounds.flatMap(({ streamed, whole }) => [streamed, whole]);
  const streamed = rounds.map((round) => round.streamed);
  const calls = samples.flatMap(({ ours }) => ours.calls);
  const known = calls.filter(({ name }) => toolSchemas[name] !== undefined);
  const whole = known.filter((call) => isObject(parseJson(call.arguments)));
  const rows: readonly Row[] = [
    ['failed', 'the answer failed', count(samples, ({ ours }) => ours.outcome !== 'completed'), samples.length],
    [
      'no-call',
      'no call, although one was demanded',
      count(samples, ({ ours }) => ours.calls.length === 0),
      samples.length,
    ],
    [
      'invalid-json',
      'arguments that are no JSON object',
      count(calls, (call) => !isObject(parseJson(call.arguments))),
      calls.length,
    ],
    ['unknown-name', 'a call of a tool that was not offered', calls.length - known.length, calls.length],
    ['schema-mismatch', 'arguments that do not fit their schema', count(whole, (call) => !fits(call)), whole.length],
    ['missing-id', 'streamed calls without an id', count(streamed, lacksId), streamed.length],
    [
      'missing-usage',
      'no usage',
      count(samples, ({ ours }) => ours.outcome === 'completed' && !ours.usage),
      samples.length,
    ],
    ['stream-differs', 'other calls when streamed than when not', count(rounds, differs), rounds.length],
  ];
  return rows.map(([name, what, k, n]) => ({ wire, name, what, k, n }));
}

function count<T>(values: readonly T[], test: (value: T) => boolean): number {
  return values.filter(test).length;
}

function lacksId(sample: Sample): boolean {
  return checkSample(sample).some(({ quirk }) => quirk === 'tool-id-missing');
}

/** Every property of the schemas is a string and needed, and no other is allowed. */
function fits({ name, arguments: args }: OurCall): boolean {
  const value = parseJson(args);
  const wanted = Object.keys(toolSchemas[name] ?? {});
  return (
    isObject(value) &&
    Object.keys(value).length === wanted.length &&
    wanted.every((key) => typeof value[key] === 'string')
  );
}

/** A model may say something else each time: which tools it calls, and whether with arguments that fit, is compared. */
function differs({ streamed, whole }: Round): boolean {
  const shape = ({ ours }: Sample): string => JSON.stringify(ours.calls.map((call) => [call.name, howGood(call)]));
  return shape(streamed) !== shape(whole);
}

function howGood(call: OurCall): 'fits' | 'json' | 'invalid' {
  if (fits(call)) return 'fits';
  return isObject(parseJson(call.arguments)) ? 'json' : 'invalid';
}

/** The name of the probe, in the report. */
export const REPEATED = 'repeated calls';
