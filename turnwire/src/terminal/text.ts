import { printable, printableNext, visibleLines, type Printed } from '@turnwire/wire/internal/base/printable';

const TAB = '    ';

/** A model's or a tool's text as it may stand on a screen: as `printable`, and tabs are four spaces. */
export function screenText(text: string): string {
  return printable(text).replaceAll('\t', TAB);
}

/** `screenText` for the next piece of a text; any split of a text gives the same. `held` as of `printableNext`. */
export function screenNext(held: string, piece: string): Printed {
  const next = printableNext(held, piece);
  return { text: next.text.replaceAll('\t', TAB), held: next.held };
}

/** Lines that a person has to judge, as they are: what `screenText` leaves out is written out here. */
export function judgedLines(text: string): string {
  return visibleLines(text).replaceAll('\t', TAB);
}

/** One line, whitespace folded, at most `max` characters. */
export function oneLine(text: string, max = 200): string {
  const line = screenText(text.slice(0, max * 4).replaceAll('\n', ' '))
    .replaceAll(/ +/g, ' ')
    .trim();
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}

/** A text of which only the beginning and the end are kept. */
export interface Bounded {
  readonly head: readonly string[];
  readonly tail: readonly string[];
  /** Lines left out between them. */
  readonly omitted: number;
}

/** The first and the last lines of a text. */
export function boundLines(lines: readonly string[], head: number, tail: number): Bounded {
  if (lines.length <= head + tail + 1) return { head: lines, tail: [], omitted: 0 };
  return { head: lines.slice(0, head), tail: lines.slice(-tail), omitted: lines.length - head - tail };
}

/** Keeps at most `max` characters: the first half and the last. */
export function boundText(text: string, max: number): string {
  if (text.length <= max) return text;
  const half = Math.floor(max / 2);
  return `${text.slice(0, half)}\n…\n${text.slice(-half)}`;
}

/** `1234` as `1.2k`. */
export function shortCount(count: number): string {
  if (count < 1000) return String(count);
  if (count < 999_950) return `${(count / 1000).toFixed(1)}k`;
  return `${(count / 1_000_000).toFixed(1)}M`;
}

/** Milliseconds for people. */
export function shortTime(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}
