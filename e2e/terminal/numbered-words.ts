/** The words from number `from` on, before number `to`: `w0000`, `w0001`, …; one that is lost or doubled is seen. */
export function numberedWords(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, at) => `w${String(from + at).padStart(4, '0')}`);
}

/** Those in what a terminal shows. A word that was broken at the end of a row goes on in the next one. */
export function numberedWordsIn(shown: string): string[] {
  return shown.replaceAll(/\s/g, '').match(/w\d{4}/g) ?? [];
}
