import type { Usage } from '@turnwire/wire/internal/model/usage';
import type { AnswerHead, AskedServer, Attempt, BodyEnd, ReadRequest, RepairCause } from '../observe/observer.ts';

/**
 * One thing that happened: what came as it came, and secrets in it. What of it may be shown is made when somebody looks. `t` is in milliseconds behind the beginning of the exchange.
 */
export type Entry = { readonly t: number } & (
  | { readonly kind: 'request'; readonly request: ReadRequest }
  | { readonly kind: 'attempt'; readonly attempt: Pick<Attempt, 'number' | 'upstream' | 'conceal'> }
  | { readonly kind: 'asked'; readonly asked: AskedServer }
  | { readonly kind: 'head'; readonly head: AnswerHead }
  | { readonly kind: 'chunk'; readonly bytes: Uint8Array }
  | { readonly kind: 'body'; readonly how: BodyEnd }
  /** Somebody else's answer, which the client was sent as it came. */
  | { readonly kind: 'passed'; readonly bytes: Uint8Array }
  | { readonly kind: 'sent'; readonly text: string }
  | { readonly kind: 'repair'; readonly repair: string; readonly about?: string | RepairCause | undefined }
  | { readonly kind: 'usage'; readonly usage: Usage }
  | { readonly kind: 'end'; readonly outcome: string; readonly error?: string | undefined }
);

/** What an entry costs beside its bytes, about. */
const OBJECT_BYTES = 100;

/** The memory that an entry holds, in bytes: an estimate, which is the same each time. */
export function entrySize(entry: Entry): number {
  switch (entry.kind) {
    case 'chunk':
    case 'passed':
      return OBJECT_BYTES + entry.bytes.byteLength;
    case 'sent':
      return OBJECT_BYTES + entry.text.length;
    case 'request':
      return OBJECT_BYTES + 2 * entry.request.size; // as parsed JSON, or as bytes
    case 'asked':
      return 3 * OBJECT_BYTES + (entry.asked.body?.length ?? 0);
    case 'attempt':
    case 'head':
    case 'body':
    case 'repair':
    case 'usage':
    case 'end':
      return 3 * OBJECT_BYTES;
  }
}
