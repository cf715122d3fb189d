/**
 * Runs requests of the SDK with a signal that is aborted with `signal` until they have ended: of an abort later on, the SDK would tell the
 * server that requests are cancelled which it has answered.
 */
export async function withOwnSignal<T>(signal: AbortSignal, run: (own: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController();
  const abort = (): void => own.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await run(own.signal);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
