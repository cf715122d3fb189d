/** What is kept of the answers to earlier calls: a text may be a stranger's. */
export interface RememberedBounds {
  /** Answers that are kept at most; one more, and all are forgotten. */
  readonly most: number;
  /** Characters of a text whose answer is kept. */
  readonly longest: number;
}

/** The same function, which is asked once for a text that comes again and again. Its answers must not be changed. */
export function remembered<T>(find: (text: string) => T, { most, longest }: RememberedBounds): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const last = known.get(text);
    if (last !== undefined || text.length > longest) return last ?? find(text);
    const found = find(text);
    if (known.size === most) known.clear();
    known.set(text, found);
    return found;
  };
}
