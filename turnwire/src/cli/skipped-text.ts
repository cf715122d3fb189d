/** How many events of an answer nobody could read, for a person: one line. */
export function describeSkipped(events: number): string {
  const what = events === 1 ? '1 event was passed over: it is' : `${events} events were passed over: they are`;
  return `${what} no JSON object of the expected shape`;
}
