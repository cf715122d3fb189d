import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import { createConcealer } from '@turnwire/client/internal/platform/conceal';
import { timestamp } from '@turnwire/client/internal/platform/wall-time';
import {
  redactHeader,
  redactTarget,
  replaceSpans,
  secretsInHeader,
  secretSpans,
  withoutSecretSpans,
} from '@turnwire/client/internal/platform/secret-text';

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

/** @param folder - made when it is not there */
export function createTracer(folder: string, onError: (error: Error) => void): Tracer {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    begin: (id, request) => {
      const file = createWriteStream(join(folder, `${id}.jsonl`), { mode: 0o600 });
      file.on('error', onError);
      const body = request.body === undefined ? undefined : JSON.stringify(request.body);
      const spans = body === undefined ? [] : secretSpans(body);
      const secrets = [
        ...valuesOf(request.headers).flatMap(([name, value]) => secretsInHeader(name, value)),
        ...spans.map(({ from, to }) => body?.slice(from, to) ?? ''),
      ];
      const conceal = createConcealer(secrets); // an answer may repeat them
      line(file, {
        at: timestamp(),
        ...request,
        headers: shown(request.headers),
        url: withoutQuery(request.url),
        body: body === undefined ? undefined : (JSON.parse(conceal(replaceSpans(body, spans))) as unknown),
      });
      return {
        sent: (text) => line(file, { sent: conceal(withoutSecretSpans(text)) }),
        end: () => file.end(),
      };
    },
  };
}

function shown(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(valuesOf(headers).map(([name, value]) => [name, redactHeader(name, value)]));
}

function valuesOf(headers: IncomingHttpHeaders): [name: string, value: string][] {
  return Object.entries(headers).map(([name, value]) => [name, [value ?? []].flat().join(', ')]);
}

/** A query may hold a key, by mistake; a path too. */
function withoutQuery(url: string): string {
  return redactTarget(url.split('?', 1)[0] ?? '');
}

function line(file: WriteStream, value: object): void {
  file.write(`${JSON.stringify(value)}\n`);
}
