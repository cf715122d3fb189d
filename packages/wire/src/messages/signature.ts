import { fromBase64Url, toBase64Url } from '../base/base64url.ts';
import { isObject, nonEmpty, parseOwnJson } from '../base/json.ts';
import { withoutUndefined } from '../request-body.ts';

/**
 * What a reasoning item of another wire had beside its text, on its way through a client of this one: in the `signature` of a
 * thinking block, which clients send back as it came. AI SDK and pi drop thinking without one from the history
 * (docs/contract.md section 8.20).
 */
export interface ReasoningState {
  /** The item's id. */
  readonly id?: string | undefined;
  /** Its `encrypted_content`. */
  readonly encrypted?: string | undefined;
  /** The text of the block is the reasoning itself, not a summary of it. */
  readonly raw?: boolean | undefined;
}

const PREFIX = 'tw1:';

/** The signature that carries a state; it is never empty. */
export function toSignature({ id, encrypted, raw }: ReasoningState): string {
  return (
    PREFIX +
    toBase64Url(JSON.stringify(withoutUndefined({ v: 1, id, enc: encrypted, raw: raw === true ? true : undefined })))
  );
}

/** The state in a signature that turnwire made; undefined for all others, and for one that was damaged. */
export function fromSignature(signature: string): ReasoningState | undefined {
  if (!signature.startsWith(PREFIX)) return undefined;
  const json = fromBase64Url(signature.slice(PREFIX.length));
  const value = json === undefined ? undefined : parseOwnJson(json);
  if (!isObject(value) || value['v'] !== 1) return undefined;
  return { id: nonEmpty(value['id']), encrypted: nonEmpty(value['enc']), raw: value['raw'] === true };
}
