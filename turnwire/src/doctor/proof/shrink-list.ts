/** How often may still be tried; counts down. */
export interface Budget {
  tries: number;
}

/**
 * The fewest of some things that still show what all of them show, in their order: delta debugging (Zeller and Hildebrandt,
 * "Simplifying and Isolating Failure-Inducing Input", 2002). Nothing that is left can be taken out alone, unless the budget
 * ended first.
 *
 * @param shows - true when what is looked for is still there; it is for `items`
 */
export async function shrinkList<T>(
  items: readonly T[],
  shows: (some: readonly T[]) => boolean | Promise<boolean>,
  budget: Budget,
): Promise<readonly T[]> {
  let kept = items;
  let parts = 2;
  while (kept.length > 0 && budget.tries > 0) {
    const size = Math.ceil(kept.length / Math.min(parts, kept.length));
    const smaller = await smallerOf(kept, kept.length === 1 ? 1 : size, shows, budget);
    if (smaller !== undefined) {
      kept = smaller;
      parts = Math.max(2, parts - 1);
    } else if (size <= 1) break;
    else parts = Math.min(kept.length, parts * 2);
  }
  return kept;
}

/** The same without the first part, of `size`, that is not needed; undefined when all of them are. */
async function smallerOf<T>(
  items: readonly T[],
  size: number,
  shows: (some: readonly T[]) => boolean | Promise<boolean>,
  budget: Budget,
): Promise<readonly T[] | undefined> {
  // From the end: most of what a stream says is there to lead to its last events.
  for (let to = items.length; to > 0 && budget.tries > 0; to -= size) {
    const rest = [...items.slice(0, Math.max(0, to - size)), ...items.slice(to)];
    budget.tries--;
    if (await shows(rest)) return rest;
  }
  return undefined;
}
