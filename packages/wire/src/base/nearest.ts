/** The name most like the given one, for "did you mean": none when nothing is near. */
export function nearest(given: string, names: Iterable<string>): string | undefined {
  const wanted = given.toLowerCase();
  let best: string | undefined;
  let bestScore = Math.max(2, Math.ceil(wanted.length * 0.5)) + 1;
  for (const name of names) {
    const edits = distance(wanted, name.toLowerCase());
    const score = contains(wanted, name) ? Math.min(edits, 1.5) : edits;
    if (score < bestScore) [best, bestScore] = [name, score];
  }
  return best;
}

function contains(wanted: string, name: string): boolean {
  return Math.min(wanted.length, name.length) >= 3 && (name.includes(wanted) || wanted.includes(name));
}

/** Edits between two words; two letters that changed places are one. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? Infinity) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
