import type { ExchangeRecord } from '@turnwire/bridge/internal/inspect/api';
import { visibleLines } from '@turnwire/wire/internal/base/printable';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';

/** The three columns, in the way of the data. */
export type ColumnId = 'server' | 'events' | 'client';

export const columnIds: readonly ColumnId[] = ['server', 'events', 'client'];

/** Text in lines of a width. */
interface Cell {
  readonly text: string;
  /** Where each line begins. */
  readonly starts: readonly number[];
}

/** What happened at once, in all columns: a chunk, what it said, and what was sent because of it. */
export interface Moment {
  readonly t: number;
  /** What stands across all columns. */
  readonly note?: { readonly text: string; readonly isBad: boolean };
  readonly cells: Readonly<Partial<Record<ColumnId, string>>>;
}

/** The part of a cell that a search found. */
export interface Found {
  readonly moment: number;
  readonly column: ColumnId;
  readonly from: number;
  readonly to: number;
}

/** Records further apart stand in lines of their own, in milliseconds. */
const TOGETHER_MS = 50;

/** The records as moments. */
export class Moments {
  readonly list: Moment[] = [];
  /** The moment that may get more. */
  #open: { t: number; cells: Partial<Record<ColumnId, string>> } | undefined;

  push(record: ExchangeRecord): void {
    switch (record.kind) {
      case 'chunk': {
        this.#put('server', record.t, record.text);
        return;
      }
      case 'events': {
        this.#put('events', record.t, record.events.map(eventText).join('\n'));
        return;
      }
      case 'sent': {
        this.#put('client', record.t, record.text);
        return;
      }
      default: {
        this.#note(record);
        return;
      }
    }
  }

  #put(column: ColumnId, t: number, text: string): void {
    if (text === '') return;
    const at = columnIds.indexOf(column);
    const open = this.#open;
    const isTaken =
      open === undefined || t - open.t > TOGETHER_MS || columnIds.slice(at).some((id) => id in open.cells);
    const moment = isTaken ? { t, cells: {} } : open;
    if (isTaken) this.list.push(moment);
    moment.cells[column] = visibleLines(text);
    this.#open = moment;
  }

  #note(record: Exclude<ExchangeRecord, { kind: 'chunk' | 'events' | 'sent' }>): void {
    this.#open = undefined;
    this.list.push({ t: record.t, note: noteOf(record), cells: {} });
  }
}

function eventText({ type, ...rest }: ModelEvent): string {
  const fields = JSON.stringify(rest);
  return fields === '{}' ? type : `${type} ${fields}`;
}

const bodyEnds: Readonly<Record<Extract<ExchangeRecord, { kind: 'body' }>['how'], string>> = {
  complete: 'the server ended its body',
  broken: 'the connection to the server broke',
  left: 'the bridge reads no further: the server had not ended its body',
};

function noteOf(record: Exclude<ExchangeRecord, { kind: 'chunk' | 'events' | 'sent' }>): NonNullable<Moment['note']> {
  switch (record.kind) {
    case 'request':
      return note(`request: ${record.method} ${record.url}`);
    case 'attempt':
      return note(`attempt ${record.number}: asks ${record.upstream}`);
    case 'asked':
      return note(`sent to it: ${record.method} ${record.url}`);
    case 'body':
      return note(bodyEnds[record.how], record.how === 'broken');
    case 'head':
      return note(
        `${record.upstream} answers ${record.status}, ${record.headers['content-type'] ?? 'no content-type'}`,
        record.status >= 400,
      );
    case 'repair':
      return note(`healed: ${record.repair}${record.about === undefined ? '' : ` (${record.about})`}`);
    case 'usage':
      return note(`usage: ${JSON.stringify(record.usage)}`);
    case 'end':
      return note(
        `end: ${record.outcome}${record.error === undefined ? '' : `, ${record.error}`}`,
        record.outcome !== 'completed',
      );
    case 'dropped':
      return note(`${record.records} records are not kept: the bound of the memory cut here`, true);
  }
}

function note(text: string, isBad = false): NonNullable<Moment['note']> {
  return { text: visibleLines(text).replaceAll('\n', ' '), isBad };
}

/** Moments in lines of a width, in the columns that are shown, so that any line is found at once. */
export class Lines {
  /** Characters of a line, in each column. */
  readonly width: number;
  readonly #moments: Moments;
  readonly #shown: readonly ColumnId[];
  readonly #cells: Partial<Record<ColumnId, Cell>>[] = [];
  /** Index of the first line of each moment. */
  readonly #firsts: number[] = [];
  count = 0;

  constructor(moments: Moments, shown: readonly ColumnId[], width: number) {
    this.#moments = moments;
    this.#shown = shown;
    this.width = width;
  }

  /** Lays out what is new; the last moment may have grown. */
  update(): void {
    const { list } = this.#moments;
    if (this.#firsts.length > 0) this.count = this.#firsts.pop() ?? 0;
    this.#cells.length = this.#firsts.length;
    for (let at = this.#firsts.length; at < list.length; at++) {
      const cells: Partial<Record<ColumnId, Cell>> = {};
      // A moment of which no column is shown has no line.
      let height = list[at]?.note === undefined ? 0 : 1;
      for (const id of this.#shown) {
        const text = list[at]?.cells[id];
        if (text === undefined) continue;
        const starts = wrap(text, this.width);
        cells[id] = { text, starts };
        height = Math.max(height, starts.length);
      }
      this.#cells.push(cells);
      this.#firsts.push(this.count);
      this.count += height;
    }
  }

  /** The moment of a line, and which of its lines it is. */
  place(line: number): { readonly moment: number; readonly row: number } {
    let low = 0;
    let high = this.#firsts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#firsts[middle] ?? 0) <= line) low = middle;
      else high = middle - 1;
    }
    return { moment: low, row: line - (this.#firsts[low] ?? 0) };
  }

  /** The part of a cell that stands in one of its lines. */
  textAt(moment: number, column: ColumnId, row: number): { readonly text: string; readonly from: number } | undefined {
    const cell = this.#cells[moment]?.[column];
    const from = cell?.starts[row];
    if (cell === undefined || from === undefined) return undefined;
    return { text: cell.text.slice(from, cell.starts[row + 1] ?? cell.text.length), from };
  }

  lineOf({ moment, column, from }: Pick<Found, 'moment' | 'column' | 'from'>): number {
    const starts = this.#cells[moment]?.[column]?.starts ?? [];
    return (
      (this.#firsts[moment] ?? 0) +
      Math.max(
        0,
        starts.findLastIndex((start) => start <= from),
      )
    );
  }

  /** The first line at or behind a time. */
  lineAt(t: number): number {
    const moment = this.#moments.list.findIndex((each) => each.t >= t);
    return moment < 0 ? this.count - 1 : (this.#firsts[moment] ?? 0);
  }
}

/** Where the lines of a text begin; what is wider than a line goes on in the next. An empty end is no line. */
function wrap(text: string, width: number): readonly number[] {
  const starts: number[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const stop = end < 0 ? text.length : end;
    do {
      starts.push(at);
      at = Math.min(stop, at + cutWidth(text, at, width));
    } while (at < stop);
    at = stop + 1;
  }
  return starts;
}

const WIDE = /[\u1100-\uffff]/;

/** How many code units from there fill a line: letters of East Asia and pictures are two wide. */
function cutWidth(text: string, at: number, width: number): number {
  const line = text.slice(at, at + width);
  if (!WIDE.test(line)) return width;
  let used = 0;
  let count = 0;
  for (const char of line) {
    used += WIDE.test(char) ? 2 : 1;
    if (used > width && count > 0) break;
    count += char.length;
  }
  return count;
}

/** At most so many are looked for. */
const MOST_FOUND = 5000;

/** Every place of a text in the moments, whatever the case of its letters. */
export function search(moments: readonly Moment[], words: string): readonly Found[] {
  const found: Found[] = [];
  const pattern = words === '' ? undefined : new RegExp(RegExp.escape(words), 'giu');
  if (pattern === undefined) return found;
  for (const [moment, { cells }] of moments.entries()) {
    for (const column of columnIds) {
      for (const { index, 0: text } of cells[column]?.matchAll(pattern) ?? []) {
        found.push({ moment, column, from: index, to: index + text.length });
        if (found.length >= MOST_FOUND) return found;
      }
    }
  }
  return found;
}
