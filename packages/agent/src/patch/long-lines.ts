/** Characters of one line that a person reads. */
const MAX_LINE = 2000;
/** Characters that are kept of what two lines have in common, beside what they have not. */
const BESIDE = 100;
/** Characters that are compared at once: lines of megabytes are shown anew with each frame. */
const BLOCK = 4096;

/**
 * The lines of a unified diff, without its two first: a line of more than 2000 characters (a minified script) without what the line in
 * whose place it comes has as well, then without its middle. What is left out is said in its place.
 */
export function shortenLongLines(lines: readonly string[]): readonly string[] {
  if (lines.every((line) => line.length <= MAX_LINE)) return lines;
  const partners = partnersOf(lines);
  return lines.map((line, at) => (line.length <= MAX_LINE ? line : shorten(line, partners.get(at))));
}

/** Of each line that goes, the one that comes in its place, and the other way round: the first of a run for the first of the other. */
function partnersOf(lines: readonly string[]): ReadonlyMap<number, string> {
  const partners = new Map<number, string>();
  for (let at = 0; at < lines.length;) {
    const gone = runLength(lines, at, '-');
    const came = runLength(lines, at + gone, '+');
    for (let n = 0; n < Math.min(gone, came); n++) {
      partners.set(at + n, lines[at + gone + n] ?? '');
      partners.set(at + gone + n, lines[at + n] ?? '');
    }
    at += Math.max(1, gone + came);
  }
  return partners;
}

function runLength(lines: readonly string[], from: number, mark: '-' | '+'): number {
  let at = from;
  while (lines[at]?.startsWith(mark) === true) at += 1;
  return at - from;
}

function shorten(line: string, partner: string | undefined): string {
  const text = line.slice(1);
  const { before, after } = partner === undefined ? { before: 0, after: 0 } : inCommon(text, partner.slice(1));
  const from = Math.max(0, before - BESIDE);
  const to = Math.min(text.length, text.length - after + BESIDE);
  const start = from === 0 ? '' : `[… ${from} characters, the same in both …]`;
  const end = to === text.length ? '' : `[… ${text.length - to} characters, the same in both …]`;
  return line.slice(0, 1) + start + withoutMiddle(text.slice(from, to)) + end;
}

/** Characters that two texts have in common at their beginnings and at their ends. */
function inCommon(one: string, other: string): { readonly before: number; readonly after: number } {
  const most = Math.min(one.length, other.length);
  const before = countSame(most, (from, to) => one.slice(from, to) === other.slice(from, to));
  const endOf = (text: string, from: number, to: number): string => text.slice(text.length - to, text.length - from);
  const after = countSame(most - before, (from, to) => endOf(one, from, to) === endOf(other, from, to));
  return { before, after };
}

/** How many of `most` characters are the same, from the first on: block by block, and the last of these one by one. */
function countSame(most: number, isSame: (from: number, to: number) => boolean): number {
  let count = 0;
  for (const step of [BLOCK, 1]) while (count + step <= most && isSame(count, count + step)) count += step;
  return count;
}

function withoutMiddle(text: string): string {
  const half = MAX_LINE / 2;
  const left = text.length - MAX_LINE;
  return left <= 0 ? text : `${text.slice(0, half)}[… ${left} characters …]${text.slice(-half)}`;
}
