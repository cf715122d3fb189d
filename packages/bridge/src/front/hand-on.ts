import type { IncomingMessage } from 'node:http';
import { request as ask } from '@turnwire/client/internal/platform/node-http';
import type { ApiRequest } from '../exchange/handler.ts';
import { refuse } from '../exchange/refuse.ts';
import { workerGone } from '../reply/api-error.ts';

/**
 * Has another worker of the same bridge answer, as it came: what the request is about is there alone. That worker looks at the
 * token, counts it and logs it. Settles when the answer is written, or the client or the other worker is gone; a body that is
 * cut there is cut here.
 *
 * @param path - where that worker listens, a socket in the file system
 */
export async function handOn(request: ApiRequest, path: string): Promise<void> {
  const { method, url, headers, body, res } = request;
  const { promise: over, resolve } = Promise.withResolvers<unknown>();
  const asked = ask({ socketPath: path, method, path: url, headers, agent: false });
  res.once('close', () => asked.destroy());
  asked.once('close', resolve);
  asked.once('error', () => {
    if (res.headersSent) res.destroy();
    else refuse(request, workerGone());
  });
  asked.once('response', (answer: IncomingMessage) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.once('error', () => res.destroy());
    answer.pipe(res);
  });
  asked.end(body);
  await over;
}
