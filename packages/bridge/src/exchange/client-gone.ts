import type { ServerResponse } from 'node:http';

/** Aborted when the client leaves before its answer is whole. */
export function clientGone(res: ServerResponse): AbortSignal {
  const gone = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) gone.abort();
  });
  if (res.destroyed) gone.abort();
  return gone.signal;
}
