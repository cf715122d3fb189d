/** Why a file is left as it is: one line, without what stands in the file. */
export class EditError extends Error {
  override readonly name = 'EditError';
}

/** One key of a file. */
export interface KeyEdit {
  readonly path: readonly string[];
  /** Undefined takes the key out. */
  readonly value: unknown;
}

/** The line break that a text uses. */
export function lineBreakOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}

/** One step of indentation, as the text has it first; two spaces where it has none. */
export function indentOf(text: string): string {
  return /^(?:\t| +)(?=\S)/m.exec(text)?.[0] ?? '  ';
}

/** The beginning of the next line, or the end of the text. */
export function lineAfter(text: string, offset: number): number {
  const at = text.indexOf('\n', offset);
  return at < 0 ? text.length : at + 1;
}

/** Puts whole lines in at the beginning of a line, or behind a last one that has no break. */
export function insertLines(text: string, offset: number, lines: readonly string[]): string {
  const eol = lineBreakOf(text);
  const isTorn = offset > 0 && text[offset - 1] !== '\n';
  const put = lines.map((line) => `${line}${eol}`).join('');
  return `${text.slice(0, offset)}${isTorn ? eol : ''}${put}${text.slice(offset)}`;
}

/** Edits a text behind its byte order mark, if it has one. */
export function behindMark(text: string, edit: (text: string) => string): string {
  return text.startsWith('\uFEFF') ? `\uFEFF${edit(text.slice(1))}` : edit(text);
}

/** The value with the edits in it: what a file has to mean once it is edited. */
export function withEdits(value: unknown, edits: readonly KeyEdit[]): unknown {
  return edits.reduce((edited, { path, value: to }) => withValue(edited, path, to), value);
}

function withValue(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  const before = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const old = before.find(([name]) => name === key)?.[1] as unknown;
  if (to === undefined && old === undefined) return value;
  const next = withValue(old, rest, to);
  const others = before.filter(([name]) => name !== key);
  return Object.fromEntries(next === undefined ? others : [...others, [key, next]]);
}
