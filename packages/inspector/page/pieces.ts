/** Length of one piece, in UTF-16 code units. */
const PIECE = 4096;

/**
 * A long text as short pieces, cut at the ends of lines where there are any: what is added changes the last piece alone, so that
 * a browser lays out that one again and not the whole.
 */
export class Pieces {
  readonly list: string[] = [];
  length = 0;

  append(text: string): void {
    this.length += text.length;
    let rest = (this.list.pop() ?? '') + text;
    while (rest.length > PIECE) {
      const cut = cutOf(rest);
      this.list.push(rest.slice(0, cut));
      rest = rest.slice(cut);
    }
    this.list.push(rest);
  }

  replace(text: string): void {
    this.list.length = 0;
    this.length = 0;
    this.append(text);
  }

  toString(): string {
    return this.list.join('');
  }
}

/** Behind the last line end of the first piece; never within a pair of surrogates. */
function cutOf(text: string): number {
  const line = text.lastIndexOf('\n', PIECE - 1);
  if (line > 0) return line + 1;
  const last = text.charCodeAt(PIECE - 1);
  return last >= 0xd800 && last < 0xdc00 ? PIECE - 1 : PIECE;
}
