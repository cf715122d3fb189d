import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { wait } from '@turnwire/client/internal/platform/wait';
import { ModelError } from '@turnwire/wire/internal/model/errors';

/** So long a large model may take to come from a disk, in milliseconds. */
const PATIENCE_MS = 5 * 60_000;
const AGAIN_MS = 500;

/**
 * Asks a server again while it says that it loads its model, which llama.cpp does with 503 "Loading model" from its first second on.
 *
 * @param onWait - the first time
 */
export async function onceLoaded<T>(ask: () => Promise<T>, onWait: () => void): Promise<T> {
  const until = systemClock.now() + PATIENCE_MS;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await ask();
    } catch (error) {
      if (!isLoading(error) || systemClock.now() > until) throw error;
      if (isFirst) onWait();
      await wait(systemClock, AGAIN_MS);
    }
  }
}

function isLoading(error: unknown): boolean {
  return error instanceof ModelError && error.status === 503 && /\bloading\b/i.test(error.message);
}
