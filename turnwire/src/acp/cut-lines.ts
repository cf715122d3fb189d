/** Of one message: images of an editor are the longest. */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

const LINE_END = Uint8Array.of(10);

/**
 * Cuts each line after `most` bytes. A message that long would end the connection: cut, it is no JSON any more, and is answered as such
 * (JSON-RPC 2.0, code -32700). Holds nothing back.
 */
export function cutLines(most: number): TransformStream<Uint8Array, Uint8Array> {
  /** Bytes of the line so far. */
  let length = 0;
  return new TransformStream({
    transform(chunk, controller) {
      for (let from = 0; from < chunk.length;) {
        const end = chunk.indexOf(10, from);
        const to = end < 0 ? chunk.length : end;
        const isCut = length + to - from > most;
        if (!isCut) controller.enqueue(chunk.subarray(from, end < 0 ? to : end + 1));
        else {
          if (length < most) controller.enqueue(chunk.subarray(from, from + most - length));
          if (end >= 0) controller.enqueue(LINE_END);
        }
        length = end < 0 ? length + to - from : 0;
        from = end < 0 ? to : end + 1;
      }
    },
  });
}
