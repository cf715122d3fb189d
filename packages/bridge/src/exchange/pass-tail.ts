/** How much of the end of an answer is kept: it is for those who watch alone. */
const KEPT_BYTES = 64 * 1024;

/**
 * The last bytes that were passed on, however they were cut. They are copied: a chunk may be a small part of a large buffer.
 * Memory is what is kept at most, and work per byte constant: what is new is written over what is oldest.
 */
export class PassTail {
  #buffer = Buffer.alloc(0);
  /** Of all that was passed on. */
  #length = 0;

  /** All that was passed on is here. */
  get isWhole(): boolean {
    return this.#length <= KEPT_BYTES;
  }

  get bytes(): Uint8Array {
    if (this.isWhole) return this.#buffer.subarray(0, this.#length);
    const oldest = this.#length % KEPT_BYTES;
    return Buffer.concat([this.#buffer.subarray(oldest), this.#buffer.subarray(0, oldest)]);
  }

  push(chunk: Uint8Array): void {
    this.#length += chunk.byteLength;
    const piece = chunk.subarray(Math.max(0, chunk.byteLength - KEPT_BYTES));
    this.#makeRoom(Math.min(KEPT_BYTES, this.#length));
    const start = (this.#length - piece.byteLength) % KEPT_BYTES;
    const first = piece.subarray(0, KEPT_BYTES - start);
    this.#buffer.set(first, start);
    this.#buffer.set(piece.subarray(first.byteLength));
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#buffer.byteLength) return;
    const larger = Buffer.alloc(Math.min(KEPT_BYTES, Math.max(bytes, 2 * this.#buffer.byteLength)));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}
