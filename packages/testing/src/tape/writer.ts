import { closeSync, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import { redactTarget } from '@turnwire/client/internal/platform/secret-text';
import type { HeaderList, TapedEnd, TapedExchange, TapedMessage, TapedRequest, TapedResponse } from './tape.ts';
import { codingsOf } from './body.ts';
import { cleanHeaders, cleanRequest, HeldAnswer, type BodyNote } from './clean.ts';
import { encodeData, encodeEnd, encodeHead, encodeMessage, encodeRequest } from './encode.ts';
import { blank, SecretMask, StreamMask } from './redact.ts';

/** How the names of tape files end. */
export const TAPE_SUFFIX = '.tape.jsonl';

/** A folder that tapes are written to, numbered in the order in which the requests came. */
export class TapeFolder {
  readonly path: string;
  #next: number;

  /** Makes the folder; tapes that it has already are kept and counted on. Throws Node's error when it cannot. */
  constructor(path: string) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    this.path = path;
    const numbers = readdirSync(path).map((name) => (name.endsWith(TAPE_SUFFIX) ? Number.parseInt(name, 10) : 0));
    this.#next = Math.max(0, ...numbers.filter((number) => Number.isFinite(number))) + 1;
  }

  /** A file name for the next exchange, e.g. `0003-post-v1-chat-completions.tape.jsonl`. */
  nameFor(method: string, target: string): string {
    const path = redactTarget(target.split('?')[0] ?? '')
      .replaceAll(/[^\w]+/g, '-')
      .replaceAll(/^-|-$/g, '');
    const words = [String(this.#next++).padStart(4, '0'), method.toLowerCase(), path.slice(0, 60)];
    return words.filter((word) => word !== '').join('-') + TAPE_SUFFIX;
  }
}

export interface TapeWriterOptions {
  readonly clock: Clock;
  /** Called once when the tape cannot be written; the exchange goes on without it. */
  readonly onProblem: (message: string) => void;
}

/**
 * The tape of one exchange. A line is with the operating system when the call returns, so that a tape is whole up
 * to the moment in which its process dies.
 */
export class TapeWriter {
  readonly file: string;
  readonly #clock: Clock;
  readonly #start: number;
  readonly #onProblem: (message: string) => void;
  readonly #mask = new SecretMask();
  readonly #stream = new StreamMask(this.#mask);
  #handle: number | undefined;
  #ended = false;
  #held: HeldAnswer | undefined;
  #coded = false;

  /** Opens the file and writes its first line. Time counts from now. */
  constructor(folder: TapeFolder, request: TapedRequest, kind: TapedExchange['kind'], options: TapeWriterOptions) {
    this.#clock = options.clock;
    this.#start = options.clock.now();
    this.#onProblem = options.onProblem;
    this.file = folder.nameFor(kind === 'websocket' ? 'ws' : request.method, request.target);
    const { clean, note } = cleanRequest(request, this.#mask);
    this.#try(() => (this.#handle = openSync(join(folder.path, this.file), 'wx', 0o600)));
    this.#line({ ...encodeRequest(clean, kind), ...noted(note) });
  }

  get ended(): boolean {
    return this.#ended;
  }

  response(status: number, reason: string, headers: HeaderList): void {
    this.#mask.learnHeaders(headers);
    const head = { ms: this.#now(), status, reason, headers };
    this.#coded = codingsOf(headers).length > 0;
    if (this.#coded) this.#held = new HeldAnswer(head);
    else this.#head(head);
  }

  chunk(data: Uint8Array): void {
    const piece = { ms: this.#now(), data };
    if (this.#held === undefined) this.#chunks(this.#stream.push(piece));
    else this.#held.push(piece);
  }

  message({ from, kind, data }: Omit<TapedMessage, 'ms'>): void {
    const clean = typeof data === 'string' ? this.#mask.maskBodyText(data) : this.#cleanBytes(data);
    const note = this.#coded && typeof data !== 'string' ? 'withheld' : undefined;
    this.#line({ ...encodeMessage({ ms: this.#now(), from, kind, data: clean }), ...noted(note) });
  }

  /** Writes the last line and closes the file; further calls do nothing. */
  end({ how, reason, ...more }: Omit<TapedEnd, 'ms'>): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#release();
    this.#chunks(this.#stream.flush());
    const told = reason === undefined ? {} : { reason: this.#mask.maskText(reason) };
    this.#line(encodeEnd({ ms: this.#now(), how, ...more, ...told }));
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle !== undefined) this.#try(() => closeSync(handle));
  }

  /** What was held back: nothing more comes. */
  #release(): void {
    if (this.#held === undefined) return;
    const { head, chunks, note } = this.#held.finish(this.#mask);
    this.#held = undefined;
    this.#head(head, note);
    this.#chunks(chunks);
  }

  #head({ ms, status, reason, headers }: TapedResponse, note?: BodyNote): void {
    const clean = cleanHeaders(headers, this.#mask);
    this.#line({ ...encodeHead({ ms, status, reason: this.#mask.maskText(reason), headers: clean }), ...noted(note) });
  }

  /** The compressed body of a refused handshake comes as messages, and is not kept. */
  #cleanBytes(data: Uint8Array): Uint8Array {
    return this.#coded ? blank(data) : this.#mask.maskBody(data);
  }

  #chunks(pieces: readonly { readonly ms: number; readonly data: Uint8Array }[]): void {
    for (const { ms, data } of pieces) this.#line({ ms, ...encodeData(data) });
  }

  /** Milliseconds to a thousandth. */
  #now(): number {
    return Math.round((this.#clock.now() - this.#start) * 1000) / 1000;
  }

  #line(value: JsonObject): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    const line = Buffer.from(`${JSON.stringify(value)}\n`);
    this.#try(() => {
      for (let at = 0; at < line.length;) at += writeSync(handle, line, at);
    });
  }

  #try(write: () => unknown): void {
    try {
      write();
    } catch (error) {
      this.#handle = undefined;
      this.#onProblem(`${this.file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Says on the tape that a body is not as it was. */
function noted(note: BodyNote | undefined): JsonObject {
  return note === undefined ? {} : { [note]: true };
}
