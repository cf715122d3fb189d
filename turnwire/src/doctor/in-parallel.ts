/** At most `width` at once, in order. */
export async function inParallel<T>(
  values: readonly T[],
  width: number,
  run: (value: T) => Promise<void>,
): Promise<void> {
  const queue = [...values];
  const worker = async (): Promise<void> => {
    for (let value = queue.shift(); value !== undefined; value = queue.shift()) await run(value);
  };
  await Promise.all(Array.from({ length: Math.max(1, width) }, worker));
}
