import type { IncomingHttpHeaders } from 'node:http';
import { createConcealer, type Conceal } from '@turnwire/client/internal/platform/conceal';
import {
  redactHeader,
  redactTarget,
  secretsInHeader,
  secretSpans,
  withoutSecretSpans,
} from '@turnwire/client/internal/platform/secret-text';
import { joinedHeaderValue, type HeaderValues } from '@turnwire/wire/internal/base/http-headers';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { AskedServer } from './observer.ts';
import type { TracedRequest } from './read-trace.ts';

/** Hides what is secret in the texts of one exchange, wherever it came up first: an answer may repeat what was asked. */
export class ExchangeSecrets {
  readonly #own: string[];
  /** Of the servers that were asked. */
  readonly #others = new Set<Conceal>();
  #conceal: Conceal;

  constructor(headers: IncomingHttpHeaders) {
    this.#own = valuesOf(headers).flatMap(([name, value]) => secretsInHeader(name, value));
    this.#conceal = createConcealer(this.#own);
  }

  /** Learns the secrets of a body, and gives it back without them. */
  body(body: JsonObject): unknown {
    const text = JSON.stringify(body);
    const spans = secretSpans(text);
    if (spans.length > 0) {
      this.#own.push(...spans.map(({ from, to }) => text.slice(from, to)));
      this.#conceal = createConcealer(this.#own);
    }
    return JSON.parse(this.text(text)) as unknown;
  }

  /** What can be written as JSON, without secrets in any of its texts. */
  value<T>(value: T): T {
    return JSON.parse(this.text(JSON.stringify(value))) as T;
  }

  /** A server was asked that was told secrets of its own. */
  add(conceal: Conceal): void {
    this.#others.add(conceal);
  }

  text(text: string): string {
    let shown = this.#conceal(withoutSecretSpans(text));
    for (const conceal of this.#others) shown = conceal(shown);
    return shown;
  }

  /** What a server was sent; of its address the path. */
  asked({ method, url, headers = {}, body = '' }: AskedServer): TracedRequest {
    const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
    const { pathname } = new URL(url, 'http://server'); // a trace has the path alone
    return { method, url: pathOf(pathname), headers: this.headers(headers), body: this.text(text) };
  }

  headers(headers: HeaderValues): Record<string, string> {
    return Object.fromEntries(valuesOf(headers).map(([name, value]) => [name, this.text(redactHeader(name, value))]));
  }
}

function valuesOf(headers: HeaderValues): [name: string, value: string][] {
  return Object.entries(headers).map(([name, value]) => [name, joinedHeaderValue(value ?? '')]);
}

/** A query may hold a key, by mistake; a path too. */
export function pathOf(url: string): string {
  return redactTarget(url.split('?', 1)[0] ?? '');
}
