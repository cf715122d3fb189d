import { isDeepStrictEqual } from 'node:util';
import type { ProtocolId } from '../../packages/wire/src/index.ts';
import type { Told } from '../wire/dialects/answers.ts';
import { readBody, readFrames, toClient, toldByReading, translate, type Reading } from '../wire/dialects/reading.ts';
import { wrongEnding } from '../wire/helpers.ts';
import type { Stream } from './stream.ts';
import { readPlainly, ways } from './ways.ts';

/** What is wrong with how a stream is read, in words; undefined where all is well. */
export function problemOf(stream: Stream): string | undefined {
  const plain = readPlainly(stream);
  const wrong = wrongEnding(plain);
  if (wrong.length > 0) return `read plainly: ${wrong.join(', ')}`;
  for (const [name, read] of Object.entries(ways)) {
    const outcome = read(stream);
    if (outcome !== undefined && !areSame(outcome, plain)) return differ(name, outcome, plain);
  }
  return stream.told === undefined ? undefined : problemOfAnswer(stream, stream.told);
}

function problemOfAnswer(stream: Stream, told: Told): string | undefined {
  const reading = readBody(stream.wire, stream.bytes, stream.cuts, stream.options);
  const read = toldByReading(reading);
  const expected = { ...told, wrong: [] };
  if (!areSame(read, expected)) return differ('as the answer that was written', read, expected);
  const overFrames = stream.frames === undefined ? read : toldByReading(readFrames(stream.frames));
  if (!areSame(overFrames, expected)) return differ('as frames', overFrames, expected);
  for (const client of stream.clients ?? []) {
    const problem = problemOfClient(client, reading, expected, stream.limited ?? false);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The answer written for a client of a wire, and read again. */
function problemOfClient(to: ProtocolId, reading: Reading, expected: Told, limited: boolean): string | undefined {
  const { problems, stream, body } = translate(to, reading, limited);
  if (problems.length > 0) return `written for ${to}, its order is wrong: ${JSON.stringify(problems)}`;
  const wanted = toClient(expected);
  const streamed = toClient(toldByReading(stream));
  if (!areSame(streamed, wanted)) return differ(`by a client of ${to}`, streamed, wanted);
  const whole = reading.failure === undefined ? toClient(toldByReading(body)) : wanted;
  return areSame(whole, wanted) ? undefined : differ(`by a client of ${to} in one body`, whole, wanted);
}

/** Most are the same in every letter, which costs least to see; what JSON leaves out (`undefined`) is the same, too. */
function areSame(one: unknown, other: unknown): boolean {
  const texts = [JSON.stringify(one), JSON.stringify(other)] as const;
  return texts[0] === texts[1] || isDeepStrictEqual(JSON.parse(texts[0]), JSON.parse(texts[1]));
}

function differ(way: string, got: unknown, wanted: unknown): string {
  return `read ${way}:\n  got    ${JSON.stringify(got)}\n  wanted ${JSON.stringify(wanted)}`;
}
