import { isObject, parseOwnJson } from '@turnwire/wire/internal/base/json';
import { isToolCall, type Item } from '@turnwire/wire/internal/model/items';
import { linesBack } from './lines-back.ts';
import type { ThreadRecord } from './records.ts';
import { readTotals } from './totals.ts';

/** Bytes of a thread that are read at most: more than any model takes as one conversation. */
export const MAX_TAIL_BYTES = 32 * 1024 * 1024;

/** The end of a thread file, as far back as it takes to go on with it. */
export interface ThreadTail {
  /** Oldest first; the first one is the beginning of the file, the last summary, or where `isCut` says. */
  readonly records: readonly ThreadRecord[];
  /** What is appended must not continue a line that was not written to its end. */
  readonly endsWhole: boolean;
  /** There is more since the last summary than is read: what was said before is left out. */
  readonly isCut: boolean;
  /** What was not as it should be, one line each, for the person. */
  readonly notes: readonly string[];
}

/**
 * Reads a thread file of `size` bytes from its end, back to the last summary that has totals. Before one without (of an old thread)
 * nothing is kept but what the totals are made of. Fails with the system's error.
 */
export async function readTail(path: string, size: number): Promise<ThreadTail> {
  const records: ThreadRecord[] = [];
  const notes: string[] = [];
  let [endsWhole, onlyTurns, firstAt] = [false, false, size];
  for await (const { text, at, isWhole } of linesBack(path, { size, maxBytes: MAX_TAIL_BYTES })) {
    if (firstAt === size) endsWhole = isWhole;
    firstAt = at;
    if (onlyTurns && !isTurnLine(text)) continue;
    const record = parseRecord(text);
    if (record === undefined) notes.push(noteOfLine(at, isWhole));
    else records.push(record);
    if (record?.type !== 'compacted') continue;
    onlyTurns = true;
    if (readTotals(record.totals) !== undefined) break;
  }
  const isCut = firstAt > 0 && !onlyTurns && size > MAX_TAIL_BYTES;
  const oldestFirst = records.toReversed();
  return { records: isCut ? fromCleanStart(oldestFirst) : oldestFirst, endsWhole, isCut, notes: notes.toReversed() };
}

function isTurnLine(text: string): boolean {
  return text.startsWith('{"type":"turn.');
}

function noteOfLine(at: number, isWhole: boolean): string {
  if (!isWhole) return 'the last line was not written to its end; it is left out';
  return `the line at byte ${at} cannot be read; it is left out`;
}

/** From the first turn on; in one turn that is longer than what is read, from behind the first response on, whose line ends its calls. */
function fromCleanStart(records: readonly ThreadRecord[]): readonly ThreadRecord[] {
  const turn = records.findIndex(({ type }) => type === 'turn.started');
  if (turn >= 0) return records.slice(turn);
  const response = records.findIndex(({ type }) => type === 'response');
  return response < 0 ? [] : records.slice(response + 1);
}

/** `undefined` for a line that is no record of this format. */
export function parseRecord(line: string): ThreadRecord | undefined {
  const value = parseOwnJson(line);
  return isObject(value) && isRecord(value) ? value : undefined;
}

/** Checks the fields that the replay stands on. */
function isRecord(value: Record<string, unknown>): value is Record<string, unknown> & ThreadRecord {
  switch (value.type) {
    case 'thread':
      return value.version === 1 && typeof value.id === 'string' && typeof value.cwd === 'string';
    case 'turn.started':
      return typeof value.turn === 'number';
    case 'input':
      return isItem(value.item);
    case 'tool.started':
      return isItem(value.call) && isToolCall(value.call);
    case 'tool.finished':
      return isItem(value.output);
    case 'response':
    case 'compacted':
      return Array.isArray(value.items) && value.items.every(isItem);
    case 'turn.ended':
      return true;
    default:
      return false;
  }
}

function isItem(value: unknown): value is Item {
  return isObject(value) && typeof value.type === 'string';
}
