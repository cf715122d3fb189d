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
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const bytes = await parts.next();
          if (bytes === undefined) controller.close();
          else for (const each of bytes) controller.enqueue(each);
        } catch (error) {
          controller.error(error);
        }
      },
      cancel: () => parts.cancel(),
    },
    { highWaterMark: 0 },
  );
  abandoned?.register(stream, () => parts.cancel());
  return stream;
}
