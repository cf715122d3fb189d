import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import type { JsonObject } from '../base/json.ts';
import { concealText } from '../client/secrets.ts';

/** Writes one file per exchange, so that it can be read afterwards. */
export interface Tracer {
  begin(id: string, request: TracedRequest): Trace;
}

export interface TracedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: JsonObject | undefined;
}

export interface Trace {
  /** What went to the client, as it went. */
  sent(text: string): void;
  end(): void;
}

const SECRET = /authorization|cookie|api[-_]?key|token|secret|password|turn-state|attestation/i;

/** @param folder - made when it is not there */
export function createTracer(folder: string, onError: (error: Error) => void): Tracer {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    begin: (id, request) => {
      const file = createWriteStream(join(folder, `${id}.jsonl`), { mode: 0o600 });
      file.on('error', onError);
      const secrets: string[] = []; // an answer may repeat them
      line(file, {
        at: new Date().toISOString(),
        ...request,
        headers: redacted(request.headers),
        url: withoutQuery(request.url),
        body: withoutSecrets(request.body, secrets),
      });
      return {
        sent: (text) => line(file, { sent: concealText(text, secrets) }),
        end: () => file.end(),
      };
    },
  };
}

/** Headers whose name sounds like a secret lose their value. */
export function redacted(headers: IncomingHttpHeaders): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, SECRET.test(name) ? '[redacted]' : value]),
  );
}

/** A query may hold a key, by mistake. */
export function withoutQuery(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? url : url.slice(0, mark);
}

function line(file: WriteStream, value: object): void {
  file.write(`${JSON.stringify(value)}\n`);
}

/** Requests carry secrets in their bodies, too: the keys of `mcp` tools, the turn state of a request on a socket. */
function withoutSecrets(body: JsonObject | undefined, secrets: string[]): unknown {
  if (body === undefined) return undefined;
  const text = JSON.stringify(body, (name, value: unknown) => {
    if (typeof value !== 'string' || !SECRET.test(name)) return value;
    secrets.push(value);
    return '[redacted]';
  });
  return JSON.parse(text);
}
