import type { Usage } from '@turnwire/wire/internal/model/usage';
import type { AnswerHead, Attempt, ReadRequest, RepairCause, Sent } from '../observe/observer.ts';

/**
 * One thing that happened, as its observer was told of it: bytes are bytes, and nothing is made into a text that nobody
 * may read. `t` is in milliseconds behind the beginning of the exchange.
 */
export type Entry = { readonly t: number } & (
  | { readonly kind: 'request'; readonly request: ReadRequest }
  | { readonly kind: 'attempt'; readonly attempt: Pick<Attempt, 'number' | 'upstream' | 'conceal'> }
  | { readonly kind: 'head'; readonly head: AnswerHead }
  | { readonly kind: 'chunk'; readonly bytes: Uint8Array }
  | { readonly kind: 'sent'; readonly sent: Sent }
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
      return OBJECT_BYTES + entry.bytes.byteLength;
    case 'sent':
      return OBJECT_BYTES + sentSize(entry.sent);
    case 'request':
      return OBJECT_BYTES + 2 * entry.request.size; // as parsed JSON, or as bytes
    case 'attempt':
    case 'head':
    case 'repair':
    case 'usage':
    case 'end':
      return 3 * OBJECT_BYTES;
  }
}

function sentSize(sent: Sent): number {
  if (sent instanceof Uint8Array) return sent.byteLength;
  if (typeof sent === 'string') return sent.length;
  let size = 0;
  for (const { data } of sent) size += OBJECT_BYTES + data.length;
  return size;
}
