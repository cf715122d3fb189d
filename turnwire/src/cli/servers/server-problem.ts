import { labelOf } from '@turnwire/bridge/internal/upstream/member';
import type { HttpTransport } from '@turnwire/client/internal/transport/http';
import { isCertificateFailure, isNobodyThere } from '@turnwire/client/internal/transport/failures';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { ServerProblem } from '../exit.ts';

/** How a server was asked for its models. */
export interface AskedAt {
  readonly baseUrl: string;
  /** Where its key is from; undefined where it was given none. */
  readonly keySource: string | undefined;
  readonly transport: HttpTransport;
  readonly signal: AbortSignal;
}

/** What a person is told of a server that was asked for its models and did not tell them. */
export async function problemOf(error: ModelError, asked: AskedAt): Promise<Error> {
  const where = shortLabelOf(asked.baseUrl);
  if (error.kind === 'unauthorized') return new ServerProblem(`${where} ${aboutKey(error, asked.keySource)}`);
  const other = mayBeOtherScheme(error) ? await otherScheme(asked) : undefined;
  if (other !== undefined) return new ServerProblem(other);
  switch (error.kind) {
    case 'timeout':
      return new ServerProblem(error.message);
    case 'stream_idle':
      return new ServerProblem(
        `${where} takes connections and does not answer: it is no model server, hangs, or still loads its model`,
      );
    default:
      // The transport's own errors name the address.
      return error.status === undefined ? error : error.with({ message: `${where}: ${error.message}` });
  }
}

/** The address of a server as people write it. */
export function shortLabelOf(baseUrl: string): string {
  return labelOf(baseUrl).replace(/\/v1$/, '');
}

function aboutKey(error: ModelError, source: string | undefined): string {
  if (source === undefined) return 'wants a key: name the environment variable that holds it with --env-key VARIABLE';
  return `refuses the key of ${source}: ${error.message}`;
}

/** Plain HTTP to a port with TLS, or the reverse, ends in silence, a broken connection, or a 400; where TLS is told to be missing, all is said. */
function mayBeOtherScheme(error: ModelError): boolean {
  return (
    error.kind === 'timeout' || (error.kind === 'connection_failed' && !isNobodyThere(error)) || error.status === 400
  );
}

/** What is there answers at once. */
const OTHER_MS = 400;

async function otherScheme({ baseUrl, transport, signal }: AskedAt): Promise<string | undefined> {
  const url = new URL(baseUrl);
  const [isTls, before] = [url.protocol === 'https:', shortLabelOf(baseUrl)];
  const other = baseUrl.replace(/^https?/, isTls ? 'http' : 'https');
  if (!(await speaks(other, transport, signal))) return undefined;
  return `${before}: this port speaks ${isTls ? 'plain http' : 'https'}: the address is ${shortLabelOf(other)}`;
}

/** Is there a server of this scheme? No key is sent. */
async function speaks(url: string, transport: HttpTransport, signal: AbortSignal): Promise<boolean> {
  const timers = { connectMs: OTHER_MS, totalMs: OTHER_MS };
  try {
    const answer = await transport.send({ method: 'GET', url, signal, timers, redirect: 'manual' });
    answer.cancel();
    // Servers with TLS answer plain HTTP so.
    return answer.status !== 400;
  } catch (error) {
    return error instanceof ModelError && isCertificateFailure(error);
  }
}
