/** How much of the end of an answer is kept: it is for those who watch alone. */
const KEPT_BYTES = 64 * 1024;

/** Room for so much, so that the bytes have to move only once for as many as are kept. */
const MOST_BYTES = 2 * KEPT_BYTES;

/**
 * The last bytes that were passed on, however they were cut. They are copied: a chunk may be a small part of a large buffer.
 * Memory is twice what is kept at most, and work per byte constant.
 */
export class PassTail {
  #buffer = Buffer.alloc(0);
  #used = 0;
  #isWhole = true;

  /** All that was passed on is here. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(Math.max(0, this.#used - KEPT_BYTES), this.#used);
  }

  push(chunk: Uint8Array): void {
    const piece = chunk.subarray(Math.max(0, chunk.byteLength - KEPT_BYTES));
    this.#isWhole &&= this.#used + chunk.byteLength <= KEPT_BYTES;
    this.#makeRoom(piece.byteLength);
    this.#buffer.set(piece, this.#used);
    this.#used += piece.byteLength;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#buffer.byteLength) return;
    const fits = needed <= MOST_BYTES;
    const size = fits ? Math.min(MOST_BYTES, 2 * needed) : MOST_BYTES;
    const target = this.#buffer.byteLength === size ? this.#buffer : Buffer.alloc(size);
    const kept = fits ? this.#buffer.subarray(0, this.#used) : this.bytes;
    target.set(kept); // within one buffer they move to its beginning, and may overlap
    this.#used = kept.byteLength;
    this.#buffer = target;
  }
}
