/** One thing that a check saw. */
export interface Finding {
  /** Name of a row of the table of quirks. */
  readonly quirk: string;
  /** What exactly was seen, in a few words. */
  readonly seen: string;
}

/** Findings when a condition holds; keeps checks free of nesting. */
export function when(condition: boolean, quirk: string, seen: string): readonly Finding[] {
  return condition ? [{ quirk, seen }] : [];
}

/** Milliseconds as a person reads them. */
export function ms(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`;
}

/** `1 event`, `2 events`. */
export function counted(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}
