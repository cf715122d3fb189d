/** The bytes of one answer, read on demand. */
export interface ByteSource {
  /**
   * The bytes that arrived since the last call, or the next ones: `undefined` at the end of the body, an empty list after
   * `wake`. Rejects after everything that arrived was delivered, with `ModelError` for whatever its server did. One read at a time.
   */
  read(): Promise<readonly Uint8Array[] | undefined>;
  /** Makes the pending (or next) `read` answer an empty list. */
  wake(): void;
  /** A real event was decoded: re-arms the progress timer. */
  progress(): void;
  /** Gives up: the connection is closed. Does nothing after the end, and nothing the second time. */
  cancel(): void;
  /**
   * A good end before the end of the body: what little is left may be read in the background, so that the connection can be
   * used again; otherwise it is closed.
   */
  release(): void;
}
