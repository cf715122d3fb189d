import type { DecoderOptions, StreamDecoder } from '@turnwire/wire/internal/decoder';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import { createDecoder } from '@turnwire/wire/internal/stream-decoder';
import { LineText } from '../observe/line-text.ts';
import type { AnswerHead, ExchangeStart, ReadRequest } from '../observe/observer.ts';
import { ExchangeSecrets, pathOf } from '../observe/secrets.ts';
import type { ExchangeRecord } from './api.ts';
import type { Entry } from './entries.ts';

/** As `Omit`, for each member of a union. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** How the answers of servers are read: waits are seen as waits, and a body that ends is the end of what is shown. */
export const READING: DecoderOptions = { usageAsked: true, onClose: 'complete', toolCallsOnStop: 'promote' };

/**
 * Makes records of entries, when somebody looks: texts without secrets, and the events that the bytes of a server say. A text
 * is told in whole lines, for a secret may have been cut by the network.
 */
export class RecordBuilder {
  readonly #start: ExchangeStart;
  readonly #secrets: ExchangeSecrets;
  readonly #received = new LineText((text) => (this.#text += text));
  readonly #passed = new LineText((text) => (this.#text += text));
  #text = '';
  /** Of the answer that is read. */
  #wire: AnswerHead['wire'];
  #decoder: StreamDecoder | undefined;
  #records: ExchangeRecord[] = [];
  #t = 0;

  constructor(start: ExchangeStart) {
    this.#start = start;
    this.#secrets = new ExchangeSecrets(start.headers);
  }

  /** The records since the last time. */
  take(): readonly ExchangeRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  /** So many entries are not there any more. */
  dropped(records: number): void {
    this.#endText();
    this.#put({ kind: 'dropped', records });
    // The next bytes may begin anywhere in a line: a decoder passes over what is none of its events.
    this.#decoder = this.#wire === undefined ? undefined : createDecoder(this.#wire, READING);
  }

  push(entry: Entry): void {
    this.#t = Math.round(entry.t * 1000) / 1000;
    switch (entry.kind) {
      case 'request':
        this.#request(entry.request);
        return;
      case 'attempt':
        this.#endText();
        this.#secrets.add(entry.attempt.conceal);
        this.#put({ kind: 'attempt', number: entry.attempt.number, upstream: entry.attempt.upstream });
        return;
      case 'asked':
        this.#put({ kind: 'asked', ...this.#secrets.asked(entry.asked) });
        return;
      case 'head':
        this.#head(entry.head);
        return;
      case 'chunk':
        this.#chunk(entry.bytes);
        return;
      case 'body':
        this.#endText();
        this.#put({ kind: 'body', how: entry.how });
        return;
      case 'passed':
        this.#passed.push(entry.bytes);
        this.#sent(this.#takeText());
        return;
      case 'sent':
        this.#sent(this.#secrets.text(entry.text));
        return;
      case 'repair':
        this.#repair(entry);
        return;
      case 'usage':
        this.#put({ kind: 'usage', usage: entry.usage });
        return;
      case 'end':
        this.#end(entry.outcome, entry.error);
    }
  }

  #request({ body }: ReadRequest): void {
    const { method, url, headers } = this.#start;
    const read = body();
    this.#put({
      kind: 'request',
      method,
      url: pathOf(url),
      headers: this.#secrets.headers(headers),
      ...(read === undefined ? {} : { body: this.#secrets.body(read) }),
    });
  }

  #head({ upstream, wire, status, headers }: AnswerHead): void {
    this.#endText();
    this.#put({ kind: 'head', upstream, status, headers: this.#secrets.headers(headers) });
    this.#wire = status < 300 ? wire : undefined;
    this.#decoder = this.#wire === undefined ? undefined : createDecoder(this.#wire, READING);
  }

  #chunk(bytes: Uint8Array): void {
    this.#received.push(bytes);
    this.#put({ kind: 'chunk', text: this.#takeText(), bytes: bytes.byteLength });
    this.#events(this.#decoder?.push(bytes) ?? []);
  }

  #events(events: readonly ModelEvent[]): void {
    if (events.length > 0) this.#put({ kind: 'events', events: this.#secrets.value(events) });
  }

  #sent(text: string): void {
    if (text !== '') this.#put({ kind: 'sent', text });
  }

  #repair({ repair, about }: Entry & { readonly kind: 'repair' }): void {
    if (about === undefined) this.#put({ kind: 'repair', repair });
    else if (typeof about === 'string') this.#put({ kind: 'repair', repair, about: this.#secrets.text(about) });
    else {
      const { upstream, failure } = about;
      this.#put({ kind: 'repair', repair, about: this.#secrets.text(failure.message), upstream });
    }
  }

  #end(outcome: string, error: string | undefined): void {
    this.#endText();
    this.#events(this.#decoder?.end({ type: 'close' }) ?? []);
    this.#put({ kind: 'end', outcome, ...(error === undefined ? {} : { error: this.#secrets.text(error) }) });
  }

  /** What is held of lines without an end. */
  #endText(): void {
    this.#received.end();
    const received = this.#takeText();
    if (received !== '') this.#put({ kind: 'chunk', text: received, bytes: 0 });
    this.#passed.end();
    this.#sent(this.#takeText());
  }

  #takeText(): string {
    const text = this.#text;
    this.#text = '';
    return this.#secrets.text(text);
  }

  #put(record: Without<ExchangeRecord, 't'>): void {
    this.#records.push({ t: this.#t, ...record });
  }
}
