/** What a body is made of. */
export interface BodyParts {
  /** The next bytes, never an empty list; `undefined` at the end. Rejects where the body breaks. */
  next(): Promise<readonly Uint8Array[] | undefined>;
  /** Nobody reads it any more. Nothing the second time. */
  cancel(): void;
}

/** Lets go what belongs to a body that nobody holds any more, read or not. */
const abandoned =
  typeof FinalizationRegistry === 'undefined' ? undefined : new FinalizationRegistry<() => void>((cancel) => cancel());

/** A body that is read no faster than it is asked for. */
export function bodyStream(parts: BodyParts): ReadableStream<Uint8Array> {
  const source = {
    async pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      try {
        const bytes = await parts.next();
        if (bytes === undefined) controller.close();
        else for (const each of bytes) controller.enqueue(each);
      } catch (error) {
        controller.error(error);
      }
    },
    cancel: (): void => parts.cancel(),
  };
  // Its stream holds it for as long as it may be read. The stream's own object is no sign: browsers collect it while a reader is at work.
  abandoned?.register(source, () => parts.cancel());
  return new ReadableStream<Uint8Array>(source, { highWaterMark: 0 });
}
