/** A line of a file with its own ending (`''` only at the end of a file without a last line break). */
export interface TextLine {
  readonly text: string;
  readonly end: '\n' | '\r\n' | '';
}

/** The lines of a file. An empty file has none. */
export function splitLines(text: string): TextLine[] {
  if (text === '') return [];
  const parts = text.split('\n');
  const last = parts.pop() ?? '';
  const lines = parts.map((part): TextLine =>
    part.endsWith('\r') ? { text: part.slice(0, -1), end: '\r\n' } : { text: part, end: '\n' },
  );
  if (last !== '') lines.push({ text: last, end: '' });
  return lines;
}

/** The line ending that most lines have. */
export function commonEnd(lines: readonly TextLine[]): '\n' | '\r\n' {
  const crlf = lines.filter((line) => line.end === '\r\n').length;
  return crlf * 2 > lines.length ? '\r\n' : '\n';
}

/** The file again. A line that is no longer the last one gets a line break. */
export function joinLines(lines: readonly TextLine[], end: '\n' | '\r\n'): string {
  return lines
    .map((line, index) => line.text + (line.end === '' && index < lines.length - 1 ? end : line.end))
    .join('');
}
