import type { RawAnswer } from './raw-exchange.ts';

/** Why an answer says nothing of what was asked: there is none, or the server wants a key; else `undefined`. */
export function unheard({ status, error, end }: RawAnswer): string | undefined {
  if (status === 0) return `no answer (${error ?? end})`;
  return wantsKey(status) ? `HTTP ${status}: the server wants a key` : undefined;
}

/** The server knows nobody without a key, or not with this one. */
export function wantsKey(status: number): boolean {
  return status === 401 || status === 403;
}

/** The path does not exist. */
export function isAbsent({ status }: RawAnswer): boolean {
  return status === 404 || status === 405 || status === 501;
}
