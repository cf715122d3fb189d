import type { RetryingEvent } from '@turnwire/wire/internal/model/events';

/** One line for people about a retry, and what it makes void. */
export function describeRetry(event: RetryingEvent): string {
  const seconds = (event.delay_ms / 1000).toFixed(1);
  const what = `${event.error.kind}: retry ${event.attempt} of ${event.max} in ${seconds} s`;
  return event.discarded_item_ids.length === 0 ? what : `${what}; the text since the last full answer is void`;
}
