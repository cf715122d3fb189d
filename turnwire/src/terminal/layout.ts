import { sliceByColumn, stripTerminalSequences, visibleWidth, wrapTextWithAnsi } from './pi-tui.ts';
import type { Cell } from './view-state.ts';

/** Lines of finished cells that are kept for a terminal that grows and shows them again. */
const KEPT_LINES = 2000;
/** New text that one frame draws at most: more would make it late. */
const CHARS_PER_FRAME = 8000;

interface Placed {
  readonly cell: Cell | undefined;
  /** What stands on the screen or has left it. */
  readonly lines: readonly string[];
  /** Lines at the beginning that were drawn for another width, and the visible characters that they hold. */
  readonly lead: readonly string[];
  readonly leadChars: number;
  readonly look: string;
  readonly width: number;
}

/** Something placed, and the number of its first line in the document. */
interface Ghost {
  readonly placed: Placed;
  readonly at: number;
}

export interface LayoutOptions {
  readonly render: (cell: Cell) => readonly string[];
  /** Columns. */
  readonly width: number;
  /** Changes when all cells have to be drawn again, besides with the width. */
  readonly look: string;
  /** First line of the document that is on the screen: what is before it has left for the scrollback. */
  readonly top: number;
  /** Said where lines that have left the screen turned out void. */
  readonly voidMark: string;
}

/**
 * Turns cells into the lines of an endless document of which the terminal shows the end. What has scrolled off the
 * screen belongs to the terminal: it is neither changed nor written again. A cell that changes keeps its lines up to
 * there and goes on with its new ones; where one that was void has partly left the screen, a mark says so.
 */
export class Layout {
  #placed: Placed[] = [];
  /** Number in the document of the first placed line. */
  #start = 0;
  /** The last lines of finished cells, before `#start`. */
  #kept: string[] = [];
  #sealed = new Set<number>();
  #isBehind = false;

  /** The line of the document with which `lines` of `update` begins. */
  get first(): number {
    return this.#start - this.#kept.length;
  }

  /** The lines of the document from `first` on. */
  update(cells: readonly Cell[], options: LayoutOptions): readonly string[] {
    if (options.top < this.#start) this.#rewrapKept(options);
    const { known, ghosts } = this.#sortOut(cells, options.top);
    const next: Placed[] = [];
    const placeGhosts = (before: number): void => {
      for (let ghost = ghosts[0]; ghost !== undefined && ghost.at < before; ghost = ghosts[0]) {
        ghosts.shift();
        const neighbour = ghosts[0];
        next.push(ghostOf(ghost, options, neighbour === undefined || neighbour.at >= before));
      }
    };
    let budget = CHARS_PER_FRAME;
    this.#isBehind = false;
    for (const cell of cells) {
      if (this.#sealed.has(cell.key)) continue;
      // However much waits to be drawn: it is not looked at before its frame.
      if (this.#isBehind && known.size === 0) break;
      const old = known.get(cell.key);
      known.delete(cell.key);
      placeGhosts(old?.at ?? Infinity);
      if (old === undefined && budget <= 0) {
        this.#isBehind = true;
        continue;
      }
      if (old === undefined) budget -= sizeOf(cell);
      next.push(old === undefined ? fresh(cell, options) : redrawn(cell, old, options));
    }
    placeGhosts(Infinity);
    this.#placed = next;
    this.#seal(options.top);
    return [...this.#kept, ...this.#placed.flatMap((placed) => placed.lines)];
  }

  /** There is more than one frame may draw: another one is needed. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Lines that a larger terminal took back out of its scrollback: they are drawn again, in the new width. */
  #rewrapKept({ top, width }: LayoutOptions): void {
    const at = Math.max(0, top - this.first);
    const back = this.#kept.slice(at);
    if (back.length === 0) return;
    const wrapped = rewrapped(back, width);
    this.#kept = [...this.#kept.slice(0, at), ...wrapped];
    // The numbers of the lines before them stay.
    this.#start += wrapped.length - back.length;
  }

  /** What was placed: cells that are still wanted, and what is left on or above the screen of those that are not. */
  #sortOut(cells: readonly Cell[], top: number): { known: Map<number, Ghost>; ghosts: Ghost[] } {
    const wanted = this.#wanted(cells);
    const known = new Map<number, Ghost>();
    const ghosts: Ghost[] = [];
    let at = this.#start;
    for (const placed of this.#placed) {
      const key = placed.cell?.key;
      if (key !== undefined && wanted.has(key)) known.set(key, { placed, at });
      else if (key === undefined || at < top) ghosts.push({ placed, at });
      at += placed.lines.length;
    }
    return { known, ghosts };
  }

  /** Keys of the placed cells that are still there. */
  #wanted(cells: readonly Cell[]): ReadonlySet<number> {
    const keys = new Set(this.#placed.flatMap(({ cell }) => (cell === undefined ? [] : [cell.key])));
    const wanted = new Set<number>();
    for (const { key } of cells) {
      if (wanted.size === keys.size) break;
      if (keys.has(key)) wanted.add(key);
    }
    return wanted;
  }

  /** Keys of cells that have left the screen for good: nobody needs them any more. */
  get sealed(): ReadonlySet<number> {
    return this.#sealed;
  }

  /** The caller has forgotten the sealed cells as well. */
  forgetSealed(): void {
    this.#sealed = new Set();
  }

  #seal(top: number): void {
    while (this.#placed[0] !== undefined) {
      const [first] = this.#placed;
      if (this.#start + first.lines.length > top || first.cell?.open === true) return;
      this.#placed.shift();
      this.#start += first.lines.length;
      this.#kept.push(...first.lines.slice(-KEPT_LINES));
      if (this.#kept.length > 2 * KEPT_LINES) this.#kept = this.#kept.slice(-KEPT_LINES);
      if (first.cell !== undefined) this.#sealed.add(first.cell.key);
    }
  }
}

function sizeOf(cell: Cell): number {
  return 200 + (cell.type === 'text' ? cell.block.source.length : 0);
}

function fresh(cell: Cell, { render, look, width }: LayoutOptions): Placed {
  return { cell, lines: render(cell), lead: [], leadChars: 0, look, width };
}

/** Lines that have left the screen stay as they are; the others are drawn again. */
function redrawn(cell: Cell, { placed: old, at }: Ghost, options: LayoutOptions): Placed {
  const { render, look, width, top } = options;
  const gone = top - at;
  // A larger terminal shows lines again that were drawn for another width.
  const isForeign = old.width !== width || gone < old.lead.length;
  if (old.cell === cell && old.look === look && !isForeign) return old;
  // Nothing of it is on the screen any more: what it becomes can no longer be shown in its place.
  if (gone > old.lines.length) return { ...old, cell, look, width };
  if (gone <= 0) return fresh(cell, options);
  const kept = old.lines.slice(0, gone);
  if (isForeign) {
    const leadChars = countChars(kept);
    const rest = old.lines.slice(gone);
    // The characters of a table come in another order when its columns have another width.
    const body = rest.some(isFramed) ? rewrapped(rest, width) : afterChars(render(cell), leadChars);
    return { cell, lines: [...kept, ...body], lead: kept, leadChars, look, width };
  }
  const body = afterChars(render(cell), old.leadChars);
  const lines = [...kept, ...body.slice(Math.max(0, gone - old.lead.length))];
  return { cell, lines, lead: old.lead, leadChars: old.leadChars, look, width };
}

/** What is left of a cell that became void: the lines that have left the screen, and the mark. */
function ghostOf({ placed, at }: Ghost, { top, voidMark }: LayoutOptions, isLast: boolean): Placed {
  if (placed.cell === undefined) return placed;
  const lines = [...placed.lines.slice(0, top - at), ...(isLast ? [voidMark] : [])];
  return { ...placed, cell: undefined, lines };
}

function rewrapped(lines: readonly string[], width: number): string[] {
  return lines.flatMap((line) => (line === '' ? [''] : wrapTextWithAnsi(line, width)));
}

const FRAME = /[\u2500-\u257f]/;

function isFramed(line: string): boolean {
  return FRAME.test(line);
}

/** Visible characters without spaces and frames: what stays the same when lines are broken elsewhere. */
function countChars(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + charsOf(line), 0);
}

function charsOf(line: string): number {
  return charsIn(stripTerminalSequences(line));
}

function charsIn(text: string): number {
  return text.replaceAll(/[\s\u2500-\u257f]+/g, '').length;
}

/** What comes after the first `chars` characters. */
function afterChars(lines: readonly string[], chars: number): readonly string[] {
  if (chars === 0) return lines;
  let seen = 0;
  for (const [at, line] of lines.entries()) {
    const count = charsOf(line);
    if (seen + count > chars) return [withoutChars(line, chars - seen), ...lines.slice(at + 1)];
    seen += count;
  }
  return [];
}

function withoutChars(line: string, chars: number): string {
  let left = chars;
  let column = 0;
  for (const { segment } of new Intl.Segmenter().segment(stripTerminalSequences(line))) {
    if (left <= 0 && (column === 0 || segment.trim() !== '')) break;
    left -= charsIn(segment);
    column += visibleWidth(segment);
  }
  return column === 0 ? line : sliceByColumn(line, column, visibleWidth(line) - column);
}
