import { randomBytes } from 'node:crypto';

export { randomFraction, randomHex, randomId } from '@turnwire/wire/internal/runtime/random';

/** A fresh key of so many bytes, which nobody can guess. */
export function randomKey(bytes: number): Uint8Array {
  return randomBytes(bytes);
}
