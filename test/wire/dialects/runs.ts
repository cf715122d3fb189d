/** How many cases a property of dialects tries: `DIALECT_RUNS` of the environment, for the long form; else so many. */
export function dialectRuns(short: number): { readonly numRuns: number } {
  return { numRuns: Number(process.env['DIALECT_RUNS'] ?? short) };
}
