import { TextBuffer } from '@turnwire/wire/internal/base/text-buffer';

/** UTF-16 code units of one line: what a string may have is not much more. */
export const MAX_LINE = 256 * 1024 * 1024;

/**
 * The lines of a byte stream, decoded as UTF-8, without their line ends (LF or CRLF). A last line without an end counts.
 * What a line has beyond `max` is dropped, but for one unit, by which it is known.
 *
 * One line is held at a time; not node:readline, which also breaks lines at U+2028 inside JSON strings.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, max = MAX_LINE): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const line = new BoundedLine(max);
  for await (const chunk of chunks) {
    const parts = decoder.decode(chunk, { stream: true }).split('\n');
    for (const part of parts.slice(0, -1)) {
      line.append(part);
      yield line.take();
    }
    line.append(parts.at(-1) ?? '');
  }
  line.append(decoder.decode());
  const last = line.take();
  if (last !== '') yield last;
}

class BoundedLine {
  readonly #max: number;
  readonly #text = new TextBuffer();

  constructor(max: number) {
    this.#max = max;
  }

  append(piece: string): void {
    const room = this.#max + 1 - this.#text.length;
    if (room > 0) this.#text.append(piece.slice(0, room));
  }

  take(): string {
    const line = this.#text.toString();
    this.#text.clear();
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }
}
