import { Deadline } from '@turnwire/wire/internal/base/deadline';
import { isObject, parseJson } from '@turnwire/wire/internal/base/json';
import { readError } from '@turnwire/wire/internal/model/classify';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { StreamDecoder } from '@turnwire/wire/internal/decoder';
import { firstEventDeadline, HOLD_MS, isOfHead, isSilent, type FirstEventLimit } from '../upstream/beginning.ts';
import type { PeekedResponse } from '../upstream/peek.ts';
import type { Lease } from '../upstream/pool.ts';

/** How much of an answer is held back while it says nothing. */
const PEEK_BYTES = 256 * 1024;

/** Holds an answer back until it says something, for as long as another upstream could still be asked. */
export class PassBeginning {
  silent = false;
  readonly #lease: Lease;
  readonly #limit: FirstEventLimit;
  readonly #first: Deadline;
  readonly #hold: Deadline;
  #response: PeekedResponse | undefined;
  #waitedEnough = false;

  constructor(lease: Lease, limit: FirstEventLimit, giveUp: () => void) {
    this.#lease = lease;
    this.#limit = limit;
    const passOn = (): void => {
      this.#waitedEnough = true;
      this.#response?.wake();
    };
    this.#hold = new Deadline(limit.clock, HOLD_MS, passOn);
    this.#first = firstEventDeadline(
      limit,
      () => {
        this.silent = true;
        giveUp();
      },
      passOn,
    );
  }

  /** How the answer failed before it said anything; undefined when it is to be passed on. */
  failureOf(response: PeekedResponse, form: StreamDecoder | 'json' | undefined): Promise<ModelError | undefined> {
    this.#response = response;
    if (form === undefined) return Promise.resolve(undefined);
    return form === 'json' ? this.#failureOfJson(response) : this.#failureOfStream(response, form);
  }

  async #failureOfStream(response: PeekedResponse, judge: StreamDecoder): Promise<ModelError | undefined> {
    // With nobody else to ask, a client does not wait for long to hear that its request was taken.
    if (this.#limit.ms === 0 || !this.#limit.hasOther()) this.#hold.start();
    let bytes = 0;
    let begun = false;
    while (bytes < PEEK_BYTES && !this.#waitedEnough) {
      const chunks = await this.#read(response, judge);
      if (judge.failure !== undefined) return judge.failure;
      if (chunks.end || !chunks.events.every(isSilent)) return undefined;
      bytes += chunks.bytes;
      if (begun || chunks.events.every(isOfHead)) continue;
      begun = true;
      this.#first.stop();
      this.#hold.start();
      this.#lease.began();
    }
    return undefined;
  }

  /** The error that a JSON answer consists of; undefined for what is to be passed on. Throws how it broke off. */
  async #failureOfJson(response: PeekedResponse): Promise<ModelError | undefined> {
    this.#first.stop();
    this.#hold.start();
    const read: Uint8Array[] = [];
    let bytes = 0;
    while (bytes < PEEK_BYTES && !this.#waitedEnough) {
      const chunks = await response.peek();
      if (chunks === undefined) break;
      read.push(...chunks);
      bytes += chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    }
    return errorIn(parseJson(Buffer.concat(read).toString()));
  }

  close(): void {
    this.#first.stop();
    this.#hold.stop();
  }

  async #read(response: PeekedResponse, judge: StreamDecoder) {
    try {
      const chunks = await response.peek();
      if (chunks === undefined) return { events: judge.end({ type: 'close' }), bytes: 0, end: true };
      const events = chunks.flatMap((chunk) => judge.push(chunk));
      return { events, bytes: chunks.reduce((sum, { byteLength }) => sum + byteLength, 0), end: false };
    } catch (error) {
      if (!(error instanceof ModelError) || error.kind === 'aborted') throw error;
      return { events: judge.end({ type: 'failed', error }), bytes: 0, end: true };
    }
  }
}

/** Some gateways send an error with 200. An answer has its `error` too: null, or beside what the model said. */
function errorIn(body: unknown): ModelError | undefined {
  if (!isObject(body)) return undefined;
  const said = [body.choices, body.output].some((list) => Array.isArray(list) && list.length > 0);
  return said ? undefined : readError(body);
}
