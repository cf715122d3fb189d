import { isObject, parseJson } from '@turnwire/wire/internal/base/json';
import { protocols, type ProtocolId } from '@turnwire/wire';
import { checkEnding } from './check-ending.ts';
import { checkFraming, isBytewise } from './check-framing.ts';
import { checkHead } from './check-head.ts';
import { medianGap, SLOW_GAP, SLOW_START } from './check-pace.ts';
import { checkEvents, checkSample } from './checks.ts';
import { notServed, unusable, type Examination, type Outcome, type Probe } from './examination.ts';
import { isAbsent } from './read-answer.ts';
import { counted, ms, when, type Finding } from './finding.ts';
import type { QuestionName } from './requests.ts';
import { bodyText, errorMessage, type Sample } from './sample.ts';
import { wireChecks } from './wire-checks.ts';

/** The probes of one wire over HTTP, in the order of the report. */
export function modelProbes(wire: ProtocolId): readonly Probe[] {
  return [
    { name: 'answer', wire, alone: true, run: (it) => probeAnswer(it, wire) },
    { name: 'framing', wire, run: (it) => ofAnswer(it, wire, checkFraming, describeFraming) },
    { name: 'end', wire, run: (it) => ofAnswer(it, wire, checkEnding, describeEnd) },
    { name: wireChecks[wire].eventsName, wire, run: (it) => ofAnswer(it, wire, checkEvents, describeEvents) },
    { name: 'pace', wire, alone: true, run: (it) => probe(it, wire, 'pace', describePace, checkPace) },
    ...(protocols[wire].usageOnRequest
      ? [{ name: 'usage unasked', wire, run: (it: Examination) => probe(it, wire, 'unasked', describeEvents) }]
      : []),
    { name: 'tool call', wire, run: (it) => probe(it, wire, 'tool', describeCalls, needsCalls(1)) },
    { name: 'parallel calls', wire, run: (it) => probe(it, wire, 'parallel', describeCalls, needsCalls(2)) },
    { name: 'tool result', wire, run: (it) => probe(it, wire, 'toolResult', describeText) },
    { name: 'json schema', wire, run: (it) => probe(it, wire, 'schema', describeText, checkSchema) },
    { name: 'settings', wire, run: (it) => probe(it, wire, 'settings', describeText) },
    { name: 'system between', wire, run: (it) => probe(it, wire, 'systemBetween', describeText) },
    { name: 'other histories', wire, run: (it) => probe(it, wire, 'others', describeText) },
    { name: 'image', wire, run: (it) => probe(it, wire, 'image', describeText) },
    { name: 'reasoning', wire, run: (it) => probeReasoning(it, wire) },
    { name: 'token limit', wire, run: (it) => probe(it, wire, 'limit', describeEvents, undefined, isNoLimit) },
    { name: 'no stream', wire, run: (it) => probe(it, wire, 'body', describeBody) },
    { name: 'bad request', wire, run: (it) => probeBadRequest(it, wire) },
    { name: 'first byte', wire, run: (it) => probeFirstByte(it, wire) },
    { name: 'cancel', wire, alone: true, run: (it) => probeCancel(it, wire) },
  ];
}

async function probeAnswer(examination: Examination, wire: ProtocolId): Promise<Outcome> {
  const sample = await examination.sample(wire, 'answer');
  if (isAbsent(sample.answer)) return notServed;
  const { status, httpVersion, headers } = sample.answer;
  const type = headers['content-type'] ?? 'no content type';
  const seen =
    status === 0 ? 'no answer' : `HTTP/${httpVersion} ${status}, ${type}; turnwire reads it: ${sample.ours.outcome}`;
  return { seen, findings: checkHead(sample), proof: examination.proofOf(sample) };
}

type Check = (sample: Sample) => readonly Finding[];
type Describe = (sample: Sample) => string;

async function ofAnswer(
  examination: Examination,
  wire: ProtocolId,
  check: Check,
  describe: Describe,
): Promise<Outcome> {
  const sample = await examination.sample(wire, 'answer');
  const { status } = sample.answer;
  if (isAbsent(sample.answer)) return notServed;
  if (status < 200 || status > 299) return { skipped: status === 0 ? 'there is no answer' : `HTTP ${status}` };
  return { seen: describe(sample), findings: check(sample), proof: examination.proofOf(sample) };
}

/** A question of its own: everything that its answer shows, and what only this question can show. */
async function probe(
  examination: Examination,
  wire: ProtocolId,
  name: QuestionName,
  describe: Describe,
  check?: Check,
  forgive: (finding: Finding) => boolean = () => false,
): Promise<Outcome> {
  const why = await unusable(examination, wire);
  if (why !== undefined) return why;
  const sample = await examination.sample(wire, name);
  const { status } = sample.answer;
  const proof = examination.proofOf(sample);
  if (status >= 400 && status < 500)
    return { seen: `HTTP ${status}: ${errorMessage(sample.text)}`, findings: checkHead(sample), proof };
  const findings = checkSample(sample).filter((finding) => !forgive(finding));
  return { seen: describe(sample), findings: [...findings, ...(check?.(sample) ?? [])], proof };
}

/** A model may think or not: that it did not is no fault. */
async function probeReasoning(examination: Examination, wire: ProtocolId): Promise<Outcome> {
  const outcome = await probe(examination, wire, 'reasoning', describeReasoning);
  return 'seen' in outcome ? { ...outcome, undone: outcome.seen === NO_REASONING } : outcome;
}

/** A limit that we asked for may cut the answer. */
function isNoLimit({ quirk }: Finding): boolean {
  return quirk === 'length' || quirk === 'incomplete';
}

function describeFraming({ reading, answer }: Sample): string {
  const ends = [...reading.lineEnds].join('+');
  return `${counted(reading.events.length, 'event')} in ${counted(answer.chunks.length, 'chunk')}, lines end in ${ends}`;
}

function describeEnd({ answer, reading }: Sample): string {
  const last = reading.events.at(-1)?.ms ?? 0;
  return `${answer.end === 'end' ? 'closed' : answer.end} ${ms(answer.endMs - last)} after the last event`;
}

function describeEvents(sample: Sample): string {
  return wireChecks[sample.wire].describe(sample);
}

/** Names of the calls of an answer. */
function callsOf({ wire, reading }: Sample): readonly string[] {
  return wireChecks[wire].calls(reading.events);
}

function describePace({ reading }: Sample): string {
  const gap = medianGap(reading.events.map(({ ms: at }) => at));
  const kib = reading.events.reduce((sum, { size }) => sum + size, 0) / 1024;
  return `${reading.events.length} events, ${kib.toFixed(0)} KiB, ${gap.toFixed(1)} ms between two`;
}

function checkPace(sample: Sample): readonly Finding[] {
  const { reading } = sample;
  if (isBytewise(sample)) return [];
  const gap = medianGap(reading.events.map(({ ms: at }) => at));
  return when(gap >= SLOW_GAP, 'drip', `${gap.toFixed(0)} ms between two events`);
}

function describeCalls(sample: Sample): string {
  const calls = sample.ours.calls.length;
  const names = [...new Set(callsOf(sample))].join(', ');
  return calls === 0 && names === '' ? 'no call' : `${counted(calls, 'call')}${names === '' ? '' : `: ${names}`}`;
}

function needsCalls(n: number): Check {
  return (sample) => {
    if (sample.answer.status !== 200) return [];
    const calls = Math.max(sample.ours.calls.length, callsOf(sample).length);
    if (calls === 0) return [{ quirk: 'tool-choice-ignored', seen: 'no call, although one was demanded' }];
    if (n === 1) return checkForced(callsOf(sample));
    return when(calls < n, 'parallel-calls-missing', `${counted(calls, 'call')} of ${n}`);
  };
}

/** The one tool that the question demands by name. */
function checkForced(names: readonly string[]): readonly Finding[] {
  const other = names.find((name) => name !== 'get_weather');
  return when(
    other !== undefined,
    'tool-choice-ignored',
    `a call of ${other ?? ''}, although get_weather was demanded`,
  );
}

function describeText({ ours }: Sample): string {
  return ours.text === '' ? 'no text' : JSON.stringify(ours.text.slice(0, 50));
}

function checkSchema(sample: Sample): readonly Finding[] {
  const wrong =
    sample.ours.outcome === 'completed' && !sample.reading.invalidUtf8 && !isObject(parseJson(sample.ours.text));
  return when(wrong && sample.ours.text !== '', 'json-schema-ignored', JSON.stringify(sample.ours.text.slice(0, 50)));
}

const NO_REASONING = 'no reasoning';

function describeReasoning({ wire, reading }: Sample): string {
  return wireChecks[wire].reasoning(reading.events) ?? NO_REASONING;
}

function describeBody({ answer, text }: Sample): string {
  return `${answer.headers['content-type'] ?? 'no content type'}, ${counted(text.length, 'character')}`;
}

/** A body that is no JSON at all. */
async function probeBadRequest(examination: Examination, wire: ProtocolId): Promise<Outcome> {
  const why = await unusable(examination, wire);
  if (why !== undefined) return why;
  const path = `/${protocols[wire].path}`;
  const body = '{"model": "no json';
  const answer = await examination.raw(path, 'POST', { body, wire });
  const proof = examination.rawProof(path, 'POST', answer, body);
  const { text } = bodyText(answer);
  const value = parseJson(text);
  const shaped = isObject(value) && isObject(value.error) && typeof value.error.message === 'string';
  const seen = `HTTP ${answer.status}: ${errorMessage(text)}`;
  if (answer.status < 400) return { seen, findings: when(answer.status > 0, 'bad-request-accepted', seen), proof };
  return { seen, findings: when(answer.status >= 500 || !shaped, 'bad-request-status', seen), proof };
}

async function probeFirstByte(examination: Examination, wire: ProtocolId): Promise<Outcome> {
  const why = await unusable(examination, wire);
  if (why !== undefined) return why;
  // After the others of this wire: their answers are what is measured.
  await examination.sample(wire, 'toolResult');
  const samples = examination
    .samples(wire)
    .filter(({ answer, reading }) => answer.status === 200 && reading.events.length > 0);
  const head = Math.min(...samples.map(({ answer }) => answer.headMs));
  const first = Math.min(...samples.map(({ answer, reading }) => (reading.events[0]?.ms ?? 0) - answer.headMs));
  const commented = samples.some(({ reading }) => reading.comments.some((at) => at < (reading.events[0]?.ms ?? 0)));
  if (samples.length === 0) return { skipped: 'no answer was a stream' };
  return {
    seen: `head after ${ms(head)}, first event ${ms(first)} later, at best`,
    findings: [
      ...when(head >= SLOW_START, 'slow-headers', `the quickest head took ${ms(head)}`),
      ...when(
        first >= SLOW_START && !commented,
        'slow-first-byte',
        `${ms(first)} from the head to the first event, at best`,
      ),
    ],
  };
}

/** Leaves in the middle of a long answer, and asks again at once. */
async function probeCancel(examination: Examination, wire: ProtocolId): Promise<Outcome> {
  const why = await unusable(examination, wire);
  if (why !== undefined) return why;
  const path = `/${protocols[wire].path}`;
  const question = { text: 'Tell a very long story.', limit: 2000 };
  const left = await examination.raw(path, 'POST', {
    body: JSON.stringify(examination.body(wire, question)),
    wire,
    onChunk: () => 0,
  });
  if (left.end !== 'left') return { seen: 'the answer was over before anybody could leave', findings: [] };
  const next = await examination.ask(wire, { text: '/say Hello.', limit: 16 });
  const before = (await examination.sample(wire, 'answer')).answer.headMs;
  const { headMs } = next.answer;
  const slow = headMs > 2000 && headMs > before * 4;
  const seen = `the next answer began after ${ms(headMs)}, ${ms(before)} without a cancel`;
  return { seen, findings: when(slow, 'cancel-ignored', seen) };
}
