/** Values as a message lists them, e.g. `"chat" or "responses"`. */
export function orList(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(' or ');
}
