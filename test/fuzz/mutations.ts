import fc from 'fast-check';
import { isObject } from '../../packages/wire/src/base/json.ts';
import { shuffled } from '../wire/dialects/answers.ts';
import { captures } from '../wire/helpers.ts';
import type { Stream } from './stream.ts';

/** One change to the events of a recorded stream: where it happens, and with what. */
interface Change {
  readonly kind: (typeof kinds)[number];
  readonly at: number;
  readonly place: number;
  readonly byte: number;
  readonly value: unknown;
}

const kinds = [
  ...(['drop', 'twice', 'swap', 'byte', 'insert', 'cut', 'foreign', 'value', 'key', 'line-ends'] as const),
  ...(['number', 'string', 'again', 'more'] as const),
];

/** Numbers that JSON does not have, or that a short way might read as another. */
const ODD_NUMBERS = ['07', '00', '-7', '-0', '7.5', '7e1', '1E2', '12345678901234567890', '+7', '.7', '7.', '', '0'];
/** The same for what stands in a string: escapes, control characters, surrogates, and bytes that are no UTF-8. */
const ODD_PIECES = [
  ...[
    '\\n',
    '\\"',
    '\\\\',
    '\\/',
    '\\x',
    '\\u12',
    '\\u00e9',
    '\\ud83d',
    '\\ud83d\\ude42',
    '\t',
    '\u0000',
    '"',
    '","delta":"b',
  ],
  ...[
    '\\',
    '\u007f',
    '\u00c3\u00a9',
    '\u00e2\u0080\u00a8',
    '\u00ff',
    '\u00f0\u009f',
    '\u00ef\u00bf\u00bd',
    '\u00ef\u00bb\u00bf',
  ],
];

const changes: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...kinds),
  at: fc.nat(40),
  place: fc.nat(2000),
  byte: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"\\{}[]:,\n\r 0e-.n'))),
  value: fc.constantFrom<unknown>(null, '', 'a', '🙂', '\u2028', 0, 7, -1, 1e21, true, [], {}, { a: 1 }),
});

const recorded = captures().map(({ wire, bytes, options }) => ({ wire, options, events: splitEvents(bytes) }));

/** The beginning and the end of a recorded stream and a window between them, with some changes; other changes had the answers before it. */
export const changedCaptures: fc.Arbitrary<Stream> = fc
  .record({
    which: fc.nat(recorded.length - 1),
    from: fc.nat(200),
    length: fc.nat(16),
    changes: fc.array(changes, { maxLength: 4 }),
    before: fc.array(fc.array(changes, { maxLength: 4 }), { maxLength: 3 }),
    cuts: fc.array(fc.nat(20_000), { maxLength: 12 }),
  })
  .map(({ which, from, length, changes: all, before, cuts }) => {
    const { wire, options, events } = recorded[which]!;
    const start = from % Math.max(1, events.length - 4);
    const window = [...events.slice(0, 2), ...events.slice(2 + start, 2 + start + length), ...events.slice(-2)];
    const changed = (by: readonly Change[]): Buffer => Buffer.concat(by.reduce(change, window));
    return { wire, options, cuts, bytes: changed(all), before: before.map((by) => changed(by).toString()) };
  });

function splitEvents(bytes: Uint8Array): readonly Buffer[] {
  return Buffer.from(bytes)
    .toString('latin1')
    .split(/(?<=\n\n)/)
    .map((event) => Buffer.from(event, 'latin1'));
}

function change(events: readonly Buffer[], { kind, at, place, byte, value }: Change): readonly Buffer[] {
  const n = at % Math.max(1, events.length);
  const event = events[n];
  if (event === undefined || event.length === 0) return events;
  const changed = (one: Buffer): readonly Buffer[] => events.with(n, one);
  const where = place % (event.length + 1);
  switch (kind) {
    case 'drop':
      return events.toSpliced(n, 1);
    case 'twice':
      return events.toSpliced(n, 0, event);
    case 'swap':
      return changed(events[place % events.length]!).with(place % events.length, event);
    case 'byte':
      return changed(Buffer.from(event.with(place % event.length, byte)));
    case 'insert':
      return changed(Buffer.concat([event.subarray(0, where), Buffer.of(byte), event.subarray(where)]));
    case 'cut':
      return [...events.slice(0, n), event.subarray(0, where)];
    case 'foreign': {
      const other = recorded[place % recorded.length]!.events;
      return events.toSpliced(n, 0, other[byte % other.length]!);
    }
    case 'value':
      return changed(changeJson(event, (json) => replaceLeaf(json, place, value)));
    case 'key':
      return changed(changeJson(event, (json) => shuffled(json, place)));
    case 'number':
      return changed(
        replaceText(event, /(?<=[:[,])\d+(?=[,\]}])/g, place, () => ODD_NUMBERS[byte % ODD_NUMBERS.length]!),
      );
    case 'string':
      return changed(replaceText(event, /(?<=:")[^"\\]*(?=")/g, place, (was) => oddString(was, byte)));
    case 'again':
      return changed(replaceText(event, /"\w+":(?:"[^"\\]*"|\d+)/g, place, (was) => saidAgain(was, byte)));
    case 'more':
      return changed(replaceText(event, /(?<=\{)"/g, place, (was) => `"more":${byte % 4},${was}`));
    case 'line-ends':
      return events.map((one) =>
        Buffer.from(one.toString('latin1').replaceAll('\n', byte % 2 ? '\r\n' : '\r'), 'latin1'),
      );
  }
}

/** The event with one of the places that match replaced. */
function replaceText(event: Buffer, what: RegExp, place: number, how: (was: string) => string): Buffer {
  const text = event.toString('latin1');
  const found = [...text.matchAll(what)];
  const match = found[place % Math.max(1, found.length)];
  if (match === undefined) return event;
  const [was] = match;
  return Buffer.from(text.slice(0, match.index) + how(was) + text.slice(match.index + was.length), 'latin1');
}

/** The member behind another one of its name, which says the same or nearly: of two the last counts. */
function saidAgain(member: string, byte: number): string {
  const [, name = '', value = ''] = /^"(\w+)":(.*)$/.exec(member) ?? [];
  const others = [value, 'null', '0', ...(value.startsWith('"') ? ['"x"'] : [`${value}.0`, `${value}e0`, '-0'])];
  const other = `"${byte < 64 ? escapedName(name) : name}":${others[byte % others.length] ?? value}`;
  return byte % 2 === 0 ? `${member},${other}` : `${other},${member}`;
}

function escapedName(name: string): string {
  return `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
}

function oddString(was: string, byte: number): string {
  const piece = ODD_PIECES[byte % ODD_PIECES.length]!;
  return byte < 128 ? was + piece : piece + was;
}

/** The event with its JSON changed, if it has any. */
function changeJson(event: Buffer, how: (json: unknown) => unknown): Buffer {
  const text = event.toString();
  const found = /^data: (\{.*)$/m.exec(text)?.[1];
  if (found === undefined) return event;
  try {
    return Buffer.from(text.replace(found, () => JSON.stringify(how(JSON.parse(found)))));
  } catch {
    return event;
  }
}

/** The same JSON with one of its values, the `place`th, replaced. */
function replaceLeaf(json: unknown, place: number, value: unknown): unknown {
  let left = place % Math.max(1, countLeaves(json));
  const walk = (one: unknown): unknown => {
    if (isLeaf(one)) return left-- === 0 ? value : one;
    if (Array.isArray(one)) return one.map(walk);
    return Object.fromEntries(Object.entries(one as object).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(json);
}

function isLeaf(json: unknown): boolean {
  return !isObject(json) && !Array.isArray(json);
}

function countLeaves(json: unknown): number {
  if (isLeaf(json)) return 1;
  return Object.values(json as object).reduce((sum: number, one) => sum + countLeaves(one), 0);
}
