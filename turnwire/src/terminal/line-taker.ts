/** What became of a typed line: it was the last that is wanted, more are, or what it was for is gone. */
export type LineEnd = 'taken' | 'more' | 'gone';

/** A question that takes what is typed in place of a message. */
export interface LineTaker {
  /** A line that was sent, without spaces around it. */
  take(line: string): LineEnd;
  /** The person goes back to the answers. */
  leave(): void;
}
