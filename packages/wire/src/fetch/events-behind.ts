import type { ByteSource } from '../base/byte-source.ts';
import { isObject, parseJson, type JsonObject } from '../base/json.ts';
import { ModelError } from '../model/errors.ts';
import { joined } from '../read/joined.ts';

/** More than this is no one event. */
const MOST = 16 * 1024 * 1024;

/** One character for each byte, so that places in the text are places in the bytes; what looks for names and numbers needs no more. */
const bytewise = new TextDecoder('latin1');
const EVENT = /[^]*?(?:\r\n\r\n|\n\n|\r\r)/y;

/** Events that hold the whole answer, or its failure: nothing before them is missed. */
const WHOLE = /^(?:response\.(?:completed|failed|incomplete)|error)$/;

/** The bytes of a stream that was asked for again, from the first event on that was not seen. */
export class EventsBehind implements ByteSource {
  readonly #source: ByteSource;
  #first: Uint8Array | undefined;

  private constructor(source: ByteSource, first: Uint8Array | undefined) {
    this.#source = source;
    this.#first = first;
  }

  /**
   * Reads up to the first event behind the one with that number. What a server tells again, which begins anew, is passed over.
   *
   * @throws {ModelError} of kind `protocol` where events are missing in between; what the source fails with
   */
  static async begin(source: ByteSource, after: number): Promise<ByteSource> {
    let held: Uint8Array = new Uint8Array();
    for (;;) {
      const chunks = await source.read();
      if (chunks === undefined) throw new ModelError({ kind: 'stream_truncated', message: 'no event came' });
      held = joined([held, ...chunks]);
      const { at, next } = skipped(held, after);
      held = held.subarray(at);
      if (next === 'there') return new EventsBehind(source, held);
      if (next === 'missed' || held.length > MOST) {
        source.cancel();
        throw new ModelError({ kind: 'protocol', message: 'it did not go on where it was' });
      }
    }
  }

  async read(): Promise<readonly Uint8Array[] | undefined> {
    const first = this.#first;
    if (first === undefined) return await this.#source.read();
    this.#first = undefined;
    return [first];
  }

  wake(): void {
    this.#source.wake();
  }

  progress(): void {
    this.#source.progress();
  }

  cancel(): void {
    this.#source.cancel();
  }

  release(): void {
    this.#source.release();
  }
}

/** Where the first event begins that is to be read, and whether it is all there and the next one. */
function skipped(
  bytes: Uint8Array,
  after: number,
): { readonly at: number; readonly next: 'there' | 'missed' | undefined } {
  const text = bytewise.decode(bytes);
  EVENT.lastIndex = 0;
  for (let at = 0; ; at = EVENT.lastIndex) {
    const event = EVENT.exec(text)?.[0];
    if (event === undefined) return { at, next: undefined };
    const value = dataOf(event);
    const number = value?.sequence_number;
    if (typeof number !== 'number' || number <= after) continue;
    const isNext = number === after + 1 || WHOLE.test(String(value?.type));
    return { at, next: isNext ? 'there' : 'missed' };
  }
}

function dataOf(event: string): JsonObject | undefined {
  const lines = event.split(/\r\n|[\r\n]/).filter((line) => line.startsWith('data:'));
  const value = parseJson(lines.map((line) => line.slice(5)).join('\n'));
  return isObject(value) ? value : undefined;
}
