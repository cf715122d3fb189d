/**
 * Cuts a streamed markdown text into blocks that will not change any more, so that a frame only draws the last one.
 * Pure, and any split of the same text gives the same blocks.
 */
export type Block =
  | { readonly type: 'text'; readonly source: string; readonly gap: boolean }
  | {
      readonly type: 'code';
      readonly language: string;
      readonly source: string;
      readonly gap: boolean;
      /** The code of the fence before this piece, as far as a comment or string may reach: at most one piece. */
      readonly before: string;
    };

export interface Splitter {
  /** Whole lines of the open block. */
  readonly pending: string;
  /** The line that has no end yet. */
  readonly line: string;
  readonly fence: Fence | undefined;
  /** A blank line came after a list item: an indented line would still belong to it. */
  readonly blankAfterItem: boolean;
  /** Whether the open block stands apart from the one before. */
  readonly gap: boolean;
}

interface Fence {
  readonly mark: string;
  readonly language: string;
  readonly lines: readonly string[];
  readonly isFirst: boolean;
  readonly before: string;
}

/** Characters after which a paragraph without an end is cut, and lines after which code is. */
const MAX_TEXT = 4000;
const MAX_TABLE = 16_000;
const CODE_LINES = 16;

export const emptySplitter: Splitter = { pending: '', line: '', fence: undefined, blankAfterItem: false, gap: true };

const FENCE = /^ {0,8}(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/;
const ITEM = /^ {0,1}(?:[-*+]|\d{1,9}[.)])(?: |$)/;
const HEADING = /^ {0,3}#{1,6}(?: |$)/;

/** What a text was cut into so far. */
export interface Added {
  readonly splitter: Splitter;
  /** The blocks that this text finished. */
  readonly blocks: readonly Block[];
  /** The open block as it looks now: what `finishText` would give, without its end. */
  readonly open: readonly Block[];
}

/** Adds text. */
export function addText(splitter: Splitter, text: string): Added {
  const machine = new Machine(splitter);
  let at = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
    machine.addToLine(text.slice(at, end));
    machine.endLine();
    at = end + 1;
  }
  machine.addToLine(text.slice(at));
  return { splitter: machine.state(), blocks: machine.blocks, open: machine.open() };
}

/** The text is over: what is open is its last block. */
export function finishText(splitter: Splitter): readonly Block[] {
  const machine = new Machine(splitter);
  machine.finish();
  return machine.blocks;
}

class Machine {
  readonly blocks: Block[] = [];
  #pending: string;
  #line: string;
  #fence: Fence | undefined;
  #blankAfterItem: boolean;
  #gap: boolean;

  constructor(from: Splitter) {
    this.#pending = from.pending;
    this.#line = from.line;
    this.#fence = from.fence;
    this.#blankAfterItem = from.blankAfterItem;
    this.#gap = from.gap;
  }

  state(): Splitter {
    return {
      pending: this.#pending,
      line: this.#line,
      fence: this.#fence,
      blankAfterItem: this.#blankAfterItem,
      gap: this.#gap,
    };
  }

  addToLine(text: string): void {
    this.#line += text;
    while (this.#line.length >= MAX_TEXT) this.#cutLine();
  }

  endLine(): void {
    const line = this.#line;
    this.#line = '';
    if (this.#fence !== undefined) this.#codeLine(line, this.#fence);
    else this.#textLine(line);
  }

  finish(): void {
    if (this.#line !== '') this.endLine();
    if (this.#fence !== undefined) this.#closeFence(this.#fence);
    else this.#close();
  }

  /** Looks ahead to the end, so it is the last call: `state` and `blocks` are had before. */
  open(): Block[] {
    const done = this.blocks.length;
    this.finish();
    return this.blocks.splice(done);
  }

  /** A line without an end: its beginning goes, cut at a space where there is one. */
  #cutLine(): void {
    const space = this.#line.lastIndexOf(' ', MAX_TEXT - 1);
    const whole = /[\ud800-\udbff]$/.test(this.#line.slice(0, MAX_TEXT)) ? MAX_TEXT - 1 : MAX_TEXT;
    const cut = space > MAX_TEXT / 2 ? space + 1 : whole;
    const piece = this.#line.slice(0, cut);
    this.#line = this.#line.slice(cut);
    if (this.#fence !== undefined) this.#codeLine(piece, { ...this.#fence, mark: this.#fence.mark });
    else {
      this.#pending += piece;
      this.#close();
      this.#gap = false;
    }
  }

  #codeLine(line: string, fence: Fence): void {
    if (isEndOf(line, fence)) {
      this.#closeFence(fence);
      return;
    }
    const lines = [...fence.lines, line];
    this.#fence = { ...fence, lines };
    if (lines.length < CODE_LINES) return;
    this.#addCode(this.#fence);
    this.#fence = { ...fence, lines: [], isFirst: false, before: lines.join('\n') };
  }

  #closeFence(fence: Fence): void {
    if (fence.lines.length > 0) this.#addCode(fence);
    this.#fence = undefined;
    this.#gap = true;
  }

  #addCode(fence: Fence): void {
    const { language, lines, isFirst, before } = fence;
    this.blocks.push({
      type: 'code',
      language,
      source: lines.join('\n'),
      gap: isFirst && this.#gap,
      before,
    });
  }

  #textLine(line: string): void {
    if (line.trim() === '') this.#blankLine();
    else if (FENCE.test(line)) this.#openFence(line);
    else this.#plainLine(line);
    if (this.#pending.length > (isTable(this.#pending) ? MAX_TABLE : MAX_TEXT)) {
      this.#close();
      this.#gap = false;
    }
  }

  #blankLine(): void {
    if (ITEM.test(this.#pending)) this.#blankAfterItem = true;
    else this.#close();
  }

  #openFence(line: string): void {
    this.#close();
    const [, mark = '```', language = ''] = FENCE.exec(line) ?? [];
    this.#fence = { mark, language, lines: [], isFirst: true, before: '' };
  }

  #plainLine(line: string): void {
    const isItem = ITEM.test(line);
    const goesOn = this.#blankAfterItem && /^ {2,}/.test(line);
    if (goesOn) this.#pending += '\n';
    else if (this.#startsBlock(line, isItem)) {
      const tight = isItem && ITEM.test(this.#pending) && !this.#blankAfterItem;
      this.#close();
      if (tight) this.#gap = false;
    }
    this.#blankAfterItem = false;
    this.#pending += `${line}\n`;
    if (HEADING.test(line) && this.#pending.length === line.length + 1) this.#close();
  }

  #startsBlock(line: string, isItem: boolean): boolean {
    if (this.#blankAfterItem || isItem || HEADING.test(line)) return true;
    return line.startsWith('|') && !this.#pending.startsWith('|');
  }

  #close(): void {
    const source = this.#pending.replace(/\n+$/, '');
    if (source !== '') {
      this.blocks.push({ type: 'text', source, gap: this.#gap });
      this.#gap = true;
    }
    this.#pending = '';
    this.#blankAfterItem = false;
  }
}

function isEndOf(line: string, fence: Fence): boolean {
  const text = line.trim();
  return text.length >= fence.mark.length && text.startsWith(fence.mark) && /^(.)\1*$/.test(text);
}

function isTable(source: string): boolean {
  return source.startsWith('|');
}
