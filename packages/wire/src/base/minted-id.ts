/** Stands behind the prefix of an id that turnwire made. No server's own ids, which are hexadecimal, begin like this. */
export const MINTED = 'tw';

const minted = new RegExp(`^[a-z]+_${MINTED}[0-9a-f]{24,}$`);

/** True for an id that turnwire made, and that no server knows. */
export function isMintedId(id: unknown): boolean {
  return typeof id === 'string' && minted.test(id);
}

/** What the id of an item begins with, by the item's type. OpenAI's API refuses others: "Expected an ID that begins with 'fc'". */
export const itemIdPrefixes: ReadonlyMap<unknown, string> = new Map([
  ['message', 'msg'],
  ['reasoning', 'rs'],
  ['function_call', 'fc'],
  ['custom_tool_call', 'ctc'],
]);

/** True for an id that items of this type may have; of other types nothing is known. */
export function hasPrefixOf(type: unknown, id: string): boolean {
  const [prefix, suffix = ''] = id.split('_', 2);
  return prefix === (itemIdPrefixes.get(type) ?? prefix) && prefix !== '' && suffix !== '';
}
