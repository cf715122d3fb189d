/** Stands behind the prefix of an id that turnwire made. No server's own ids, which are hexadecimal, begin like this. */
export const MINTED = 'tw';

const minted = new RegExp(`^[a-z]+_${MINTED}[0-9a-f]{24,}$`);

/** True for an id that turnwire made, and that no server knows. */
export function isMintedId(id: unknown): boolean {
  return typeof id === 'string' && minted.test(id);
}
