/**
 * How a piece of code ended: `closed` by its own mark; `broken` when it turned out to be none, for a span by the end of
 * its line, for a block by a line that opens another one.
 */
export type CodeEnd = 'closed' | 'broken' | undefined;

interface OpenCode {
  readonly mark: string;
  readonly length: number;
  /** It stands at the beginning of a line, and is long enough for a block: the end of the line decides. */
  readonly mayBeBlock: boolean;
  isBlock: boolean;
}

/**
 * Follows a Markdown text, character by character, through its code: blocks between fences, and spans between backticks
 * within one line (CommonMark 4.5 and 6.1; spans over several lines count as none). Constant work for each character.
 */
export class CodeTracker {
  #open: OpenCode | undefined;
  /** The marks under way. */
  #mark = '';
  #run = 0;
  /** They are the first of their line. */
  #leads = false;
  /** The line has nothing but blanks so far. */
  #blank = true;
  /** The line so far closes the block: marks, and only blanks behind them. */
  #closing = 0;

  /** True behind the beginning of code whose end has not come. Marks under way are not looked at: `endRun` first. */
  get inside(): boolean {
    return this.#open !== undefined && this.#closing === 0;
  }

  push(char: string): CodeEnd {
    if (char === this.#mark) {
      this.#run++;
      return undefined;
    }
    const end = this.endRun();
    if (char === '\n') return this.#endLine() ?? end;
    if (char === ' ' || char === '\t' || char === '\r') return end;
    if (char === '`' || char === '~') {
      this.#mark = char;
      this.#run = 1;
      this.#leads = this.#blank;
    }
    this.#blank = false;
    return this.#closing > 0 ? this.#reopen() : end;
  }

  /** The marks under way are over: another character follows, or a tag. */
  endRun(): CodeEnd {
    const open = this.#open;
    const mark = this.#mark;
    const length = this.#run;
    this.#mark = '';
    this.#run = 0;
    if (length === 0) return undefined;
    const mayBeBlock = this.#leads && length >= 3;
    if (open === undefined) {
      if (mark === '`' || mayBeBlock) this.#open = { mark, length, mayBeBlock, isBlock: false };
      return undefined;
    }
    if (mark !== open.mark) return undefined;
    if (open.isBlock) {
      if (this.#leads && length >= open.length) this.#closing = length;
      return undefined;
    }
    if (length !== open.length) return undefined;
    this.#open = undefined;
    return 'closed';
  }

  /** Something stands behind what would have closed the block: it opens another one. */
  #reopen(): CodeEnd {
    const length = this.#closing;
    this.#closing = 0;
    if (this.#open !== undefined) this.#open = { ...this.#open, length, mayBeBlock: true, isBlock: false };
    return 'broken';
  }

  #endLine(): CodeEnd {
    const open = this.#open;
    this.#blank = true;
    if (open === undefined) return undefined;
    if (this.#closing > 0) {
      this.#closing = 0;
      this.#open = undefined;
      return 'closed';
    }
    if (open.mayBeBlock) {
      open.isBlock = true;
      return undefined;
    }
    this.#open = undefined;
    return 'broken';
  }
}
