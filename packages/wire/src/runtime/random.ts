import { MINTED } from '../base/minted-id.ts';

/** Bytes asked of the system at once: one call for a few bytes costs as much as a whole event of a stream. */
const POOL_BYTES = 4096;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

const HEX = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * Random bytes in hexadecimal, each handed out once.
 *
 * @param bytes at most 4096
 */
export function randomHex(bytes: number): string {
  if (used + bytes > POOL_BYTES) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let text = '';
  for (const end = used + bytes; used < end; used++) text += HEX[pool[used] as number] as string;
  return text;
}

/** An id that no other has, after its prefix: `msg_tw9f3a…`. Items of many responses meet in one history. */
export function randomId(prefix: string, bytes = 12): string {
  return `${prefix}_${MINTED}${randomHex(bytes)}`;
}

/** At least 0 and below 1: for the jitter of delays, never for a secret. */
export const randomFraction: () => number = Math.random;
