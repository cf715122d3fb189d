/** The name most like the given one, for "did you mean": none when nothing is near. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const wanted = given.toLowerCase();
  let best: string | undefined;
  let bestScore = Math.max(2, Math.ceil(wanted.length * 0.5)) + 1;
  for (const name of names) {
    const contained = wanted.length >= 3 && (name.includes(wanted) || wanted.includes(name));
    const score = contained ? 1 : distance(wanted, name.toLowerCase());
    if (score < bestScore) [best, bestScore] = [name, score];
  }
  return best;
}

/** Edits between two words (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
