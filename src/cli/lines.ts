/**
 * The lines of a byte stream, decoded as UTF-8, without their line ends (LF or CRLF). A last line without an end counts.
 *
 * One line is held at a time; not node:readline, which also breaks lines at U+2028 inside JSON strings.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  for await (const chunk of chunks) {
    const parts = decoder.decode(chunk, { stream: true }).split('\n');
    for (const part of parts.slice(0, -1)) {
      yield withoutCarriageReturn(pieces.join('') + part);
      pieces = [];
    }
    pieces.push(parts.at(-1) ?? '');
  }
  const last = pieces.join('') + decoder.decode();
  if (last !== '') yield withoutCarriageReturn(last);
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
