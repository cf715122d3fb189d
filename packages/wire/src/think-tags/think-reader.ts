import { thinkTags, type ThinkTags } from '../dialects/think-tags.ts';
import { CodeTracker, type CodeEnd } from './code-tracker.ts';

/** Takes the pieces of a text, in order; none is empty. */
export interface ThinkSink {
  onReasoning(text: string): void;
  onText(text: string): void;
}

/** Where a tag begins and ends. */
interface TagPlace {
  readonly from: number;
  readonly to: number;
}

/** UTF-16 code units that are held until it is known what they are, at most: then they count as what is more likely. */
const MAX_HELD = 4096;

const isOpening = (text: string): boolean => thinkTags.some(({ open }) => open.startsWith(text));

/**
 * Cuts the text of one message into the reasoning between tags at its very beginning, and the answer behind them. White
 * space around either is left out. However the text is cut into pieces, the pieces of each kind make up the same text.
 *
 * - `start`: only white space came, or the beginning of a tag
 * - `reasoning`: within the tags
 * - `behind`: after the closing tag, before the first character of the answer
 * - `text`: the answer, or a text without tags
 */
export class ThinkReader {
  readonly #begins: 'tagged' | 'opened';
  #phase: 'start' | 'reasoning' | 'behind' | 'text' = 'start';
  #closing: readonly string[] = thinkTags.map(({ close }) => close);
  readonly #code = new CodeTracker();
  /** What was not handed on yet, and how much of it was looked at. */
  #held = '';
  #at = 0;
  /** A closing tag within what may be code: where it begins and ends in `#held`. */
  #doubt: TagPlace | undefined;
  #found = false;
  /** The thought has begun: white space is part of it. */
  #thinks = false;

  constructor(thinkTags: Exclude<ThinkTags, false>) {
    this.#begins = thinkTags === 'opened' ? 'opened' : 'tagged';
  }

  /** A tag was read as such. */
  get found(): boolean {
    return this.#found;
  }

  /** No reasoning will come any more. */
  get isBehind(): boolean {
    return this.#phase === 'behind' || this.#phase === 'text';
  }

  push(delta: string, sink: ThinkSink): void {
    switch (this.#phase) {
      case 'start':
        this.#start(this.#held + delta, sink);
        return;
      case 'reasoning':
        this.#held += this.#thinks ? delta : delta.trimStart();
        this.#thinks ||= this.#held !== '';
        this.#think(sink);
        return;
      case 'behind':
        this.#answer(delta, sink);
        return;
      case 'text':
        if (delta !== '') sink.onText(delta);
    }
  }

  /** The text is over: what was held is handed on. Anything that follows is text. */
  end(sink: ThinkSink): void {
    if (this.#phase === 'reasoning') this.#endThought(sink);
    else if (this.#phase === 'start') {
      if (this.#begins === 'opened') tell(this.#held.trim(), (text) => sink.onReasoning(text));
      else tell(this.#held, (text) => sink.onText(text));
    }
    this.#held = '';
    this.#phase = 'text';
  }

  #start(text: string, sink: ThinkSink): void {
    const trimmed = text.trimStart();
    const tag = thinkTags.find(({ open }) => trimmed.startsWith(open));
    if (tag === undefined && isOpening(trimmed) && text.length <= MAX_HELD) {
      this.#held = text;
      return;
    }
    this.#held = '';
    if (tag === undefined && this.#begins === 'tagged') {
      this.#phase = 'text';
      sink.onText(text);
      return;
    }
    this.#phase = 'reasoning';
    if (tag !== undefined) {
      this.#found = true;
      this.#closing = [tag.close];
    }
    this.push(tag === undefined ? trimmed : trimmed.slice(tag.open.length), sink);
  }

  #think(sink: ThinkSink): void {
    while (this.#at < this.#held.length) {
      const char = this.#held.charAt(this.#at);
      if (char === '<') {
        this.#judge(this.#code.endRun());
        const rest = this.#held.slice(this.#at);
        const tag = this.#closing.find((close) => rest.startsWith(close));
        if (tag !== undefined && !this.#code.inside) {
          this.#close({ from: this.#at, to: this.#at + tag.length }, sink);
          return;
        }
        if (tag !== undefined) this.#doubt ??= { from: this.#at, to: this.#at + tag.length };
        else if (this.#closing.some((close) => close.startsWith(rest))) break;
      }
      this.#at++;
      const end = this.#judge(this.#code.push(char));
      if (this.#doubt !== undefined && (end === 'broken' || this.#at - this.#doubt.from > MAX_HELD)) {
        this.#close(this.#doubt, sink);
        return;
      }
    }
    if (this.#doubt === undefined) this.#tellThought(sink);
  }

  /** A tag within code that was closed is text. */
  #judge(end: CodeEnd): CodeEnd {
    if (end === 'closed') this.#doubt = undefined;
    return end;
  }

  /** Hands on what was looked at; white space waits for what follows, since the last of it is left out. */
  #tellThought(sink: ThinkSink): void {
    const seen = this.#held.slice(0, this.#at);
    const { length } = seen.length > MAX_HELD ? seen : seen.trimEnd();
    this.#held = this.#held.slice(length);
    this.#at -= length;
    this.#reason(seen.slice(0, length), sink);
  }

  #reason(text: string, sink: ThinkSink): void {
    tell(text, (piece) => sink.onReasoning(piece));
  }

  #close({ from, to }: TagPlace, sink: ThinkSink): void {
    const thought = this.#held.slice(0, from).trimEnd();
    const rest = this.#held.slice(to);
    this.#held = '';
    this.#found = true;
    this.#phase = 'behind';
    this.#reason(thought, sink);
    this.#answer(rest, sink);
  }

  #endThought(sink: ThinkSink): void {
    this.#judge(this.#code.push('\n'));
    if (this.#doubt === undefined) this.#reason(this.#held.trimEnd(), sink);
    else this.#close(this.#doubt, sink);
  }

  #answer(text: string, sink: ThinkSink): void {
    const answer = text.trimStart();
    if (answer === '') return;
    this.#phase = 'text';
    sink.onText(answer);
  }
}

function tell(text: string, to: (text: string) => void): void {
  if (text !== '') to(text);
}
