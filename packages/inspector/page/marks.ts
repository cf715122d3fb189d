/** Where the words of a mark stand: their left edge, and which of the lines. */
export interface MarkPlace {
  readonly left: number;
  readonly row: number;
}

/** CSS pixels. */
const BESIDE = 4;
const BETWEEN = 8;
/** Words may stand so far to the right of their mark. */
const FARTHEST = 320;

/**
 * Places for the words of marks, from left to right. Where a line has room at the mark, they stand beside it; in a crowd, e.g. a
 * fast exchange beside one that hung, behind the words that end first. Undefined for words that would stand too far off.
 *
 * @param marks - where each is, and how wide its words are
 */
export function placeMarks(
  marks: readonly { readonly at: number; readonly wide: number }[],
  { width, rows }: { readonly width: number; readonly rows: number },
): readonly (MarkPlace | undefined)[] {
  const ends = Array.from({ length: rows }, () => 0);
  return marks.map(({ at, wide }) => {
    const best = Math.min(at + BESIDE, width - wide - 2);
    const free = ends.findIndex((end) => end <= best);
    const row = free < 0 ? ends.indexOf(Math.min(...ends)) : free;
    const left = Math.max(best, ends[row] ?? 0);
    if (left + wide > width || left - at > FARTHEST) return undefined;
    ends[row] = left + wide + BETWEEN;
    return { left, row };
  });
}
