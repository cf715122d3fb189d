import { once } from 'node:events';
import { createServer } from '@turnwire/client/internal/platform/node-http';
import { digestSecret } from '@turnwire/client/internal/platform/same-secret';
import type { Clock } from '@turnwire/wire/internal/base/clock';

/** Where the browser is sent back to. */
export interface RedirectTarget {
  readonly url: string;
  /** Rejects when the person or the server said no, after the patience, and when it is given up. */
  readonly code: Promise<string>;
  close(): void;
}

/**
 * Listens on this machine alone, at a port that the system chooses (RFC 8252, section 7.3), for one answer with this `state`: others are
 * refused and change nothing.
 */
export async function openRedirectTarget(
  state: string,
  { signal, clock, patienceMs }: { readonly signal: AbortSignal; readonly clock: Clock; readonly patienceMs: number },
): Promise<RedirectTarget> {
  const answer = Promise.withResolvers<string>();
  answer.promise.catch(() => undefined);
  const expected = digestSecret(state);
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
    const isOurs = pathname === '/callback' && digestSecret(searchParams.get('state') ?? '').is(expected);
    response.writeHead(isOurs ? 200 : 400, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
    response.end(isOurs ? 'turnwire has heard: you can close this page.\n' : 'This is not what turnwire waits for.\n');
    if (!isOurs) return;
    const code = searchParams.get('code');
    if (code !== null) answer.resolve(code);
    else answer.reject(new Error(`the sign-in was refused: ${searchParams.get('error') ?? 'it has no code'}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const giveUp = (): void => answer.reject(new Error('the sign-in was given up'));
  signal.addEventListener('abort', giveUp, { once: true });
  const timer = clock.after(patienceMs, () => answer.reject(new Error('nobody signed in within five minutes')));
  return {
    url: `http://127.0.0.1:${port}/callback`,
    code: answer.promise,
    close: () => {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
      server.close();
    },
  };
}
