import { createHash, timingSafeEqual } from 'node:crypto';

/** A secret in a form that is compared in the same time whatever it is compared with. */
export interface SecretDigest {
  /** True for the same secret. */
  is(given: SecretDigest): boolean;
  readonly bytes: Buffer;
}

/** Equal lengths for the comparison, whatever was sent. */
export function digestSecret(text: string): SecretDigest {
  const bytes = createHash('sha256').update(text).digest();
  return { bytes, is: (given) => timingSafeEqual(given.bytes, bytes) };
}
