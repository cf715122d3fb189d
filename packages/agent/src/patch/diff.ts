import { shortenLongLines } from './long-lines.ts';

/** Past this many differing lines the middle is shown as replaced as a whole: still right, only longer. */
const MAX_EDITS = 1000;
const CONTEXT = 3;

interface Edit {
  readonly type: ' ' | '-' | '+';
  readonly line: string;
}

/**
 * Unified diff of two texts; `null` stands for no file. Names are shown as they are given.
 *
 * @example
 * ```ts
 * unifiedDiff('a.txt', 'one\n', 'two\n'); // --- a.txt … -one … +two
 * ```
 */
export function unifiedDiff(name: string, before: string | null, after: string | null, nameAfter = name): string {
  const edits = findEdits(withEnds(before ?? ''), withEnds(after ?? ''));
  const header = `--- ${before === null ? '/dev/null' : name}\n+++ ${after === null ? '/dev/null' : nameAfter}\n`;
  return header + toHunks(edits).map(hunkText).join('');
}

/**
 * A diff to look at: that all lines end in CRLF is said once, and not by a control character in every line; long lines as
 * `shortenLongLines` has them.
 */
export function shownDiff(diff: string): string {
  const [before = '', after = '', ...rest] = diff.split('\n');
  const lines = rest.filter((line) => /^[-+ ]/.test(line));
  if (lines.length === 0 || !lines.every((line) => line.endsWith('\r')))
    return [before, after, ...shortenLongLines(rest)].join('\n');
  const withoutEnds = rest.map((line) => line.replace(/\r$/, ''));
  return [`${before} (CRLF)`, `${after} (CRLF)`, ...shortenLongLines(withoutEnds)].join('\n');
}

/** The lines that a unified diff has of the text before and of the one after. */
export function textsOfDiff(diff: string): { readonly before: string; readonly after: string } {
  const lines = diff.split('\n').slice(2);
  const textOf = (others: '+' | '-'): string =>
    lines
      .flatMap((line, at) => {
        if (!/^[-+ ]/.test(line) || line.startsWith(others)) return [];
        return [line.slice(1) + (lines[at + 1]?.startsWith('\\') === true ? '' : '\n')];
      })
      .join('');
  return { before: textOf('+'), after: textOf('-') };
}

/** Lines with their line break, so that a missing last one is a difference. */
function withEnds(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function findEdits(before: readonly string[], after: readonly string[]): Edit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end))
    end += 1;
  const keep = (line: string): Edit => ({ type: ' ', line });
  return [
    ...before.slice(0, start).map(keep),
    ...middleEdits(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(keep),
  ];
}

/** Myers' greedy algorithm with the furthest points of each round kept for the way back. */
function middleEdits(before: readonly string[], after: readonly string[]): Edit[] {
  const rounds: Map<number, number>[] = [];
  let furthest = new Map([[1, 0]]);
  const bound = Math.min(before.length + after.length, MAX_EDITS);
  for (let edits = 0; edits <= bound; edits += 1) {
    rounds.push(furthest);
    const next = new Map<number, number>();
    for (let k = -edits; k <= edits; k += 2) {
      let x = findStart(furthest, k, edits);
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x += 1;
      next.set(k, x);
      if (x >= before.length && x - k >= after.length) return wayBack(rounds, before, after);
    }
    furthest = next;
  }
  return [...before.map((line): Edit => ({ type: '-', line })), ...after.map((line): Edit => ({ type: '+', line }))];
}

function findStart(furthest: ReadonlyMap<number, number>, k: number, edits: number): number {
  return isDown(furthest, k, edits) ? (furthest.get(k + 1) ?? 0) : (furthest.get(k - 1) ?? 0) + 1;
}

function isDown(furthest: ReadonlyMap<number, number>, k: number, edits: number): boolean {
  return k === -edits || (k !== edits && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
}

function wayBack(
  rounds: readonly ReadonlyMap<number, number>[],
  before: readonly string[],
  after: readonly string[],
): Edit[] {
  const edits: Edit[] = [];
  let x = before.length;
  let y = after.length;
  for (let round = rounds.length - 1; round >= 0; round -= 1) {
    const furthest = rounds[round] ?? new Map<number, number>();
    const k = x - y;
    const down = isDown(furthest, k, round);
    const fromX = round === 0 ? 0 : (furthest.get(down ? k + 1 : k - 1) ?? 0);
    const fromY = round === 0 ? 0 : fromX - (down ? k + 1 : k - 1);
    while (x > fromX && y > fromY && before[x - 1] === after[y - 1]) {
      edits.push({ type: ' ', line: before[x - 1] ?? '' });
      x -= 1;
      y -= 1;
    }
    if (round === 0) break;
    if (down) edits.push({ type: '+', line: after[y - 1] ?? '' });
    else edits.push({ type: '-', line: before[x - 1] ?? '' });
    x = fromX;
    y = fromY;
  }
  return edits.reverse();
}

interface Hunk {
  readonly before: number;
  readonly after: number;
  readonly edits: readonly Edit[];
}

function toHunks(edits: readonly Edit[]): Hunk[] {
  const hunks: Hunk[] = [];
  const shown = edits.map((_, index) =>
    edits.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some((edit) => edit.type !== ' '),
  );
  let before = 1;
  let after = 1;
  let current: { before: number; after: number; edits: Edit[] } | undefined;
  edits.forEach((edit, index) => {
    if (shown[index] === true) {
      current ??= { before, after, edits: [] };
      current.edits.push(edit);
    } else if (current !== undefined) {
      hunks.push(current);
      current = undefined;
    }
    if (edit.type !== '+') before += 1;
    if (edit.type !== '-') after += 1;
  });
  return current === undefined ? hunks : [...hunks, current];
}

function hunkText(hunk: Hunk): string {
  const range = (start: number, without: '+' | '-'): string => {
    const count = hunk.edits.filter((edit) => edit.type !== without).length;
    const first = count === 0 ? start - 1 : start;
    return count === 1 ? String(first) : `${first},${count}`;
  };
  const lines = hunk.edits.map(({ type, line }) =>
    line.endsWith('\n') ? type + line : `${type}${line}\n\\ No newline at end of file\n`,
  );
  return `@@ -${range(hunk.before, '+')} +${range(hunk.after, '-')} @@\n${lines.join('')}`;
}
