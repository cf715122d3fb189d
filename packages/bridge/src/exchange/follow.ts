import { unlessAborted } from '@turnwire/client/internal/platform/wait';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import type { OutputItem } from '@turnwire/wire/internal/model/items';
import { createResponsesEncoder } from '@turnwire/wire/internal/responses/encode';
import { SseReplyWriter, type SseForm } from '../reply/reply-writer.ts';
import type { LiveResponse } from '../store/index.ts';
import { clientGone } from './client-gone.ts';
import type { ApiRequest } from './handler.ts';

/** Events that are written before their client is asked whether it takes more. */
const AT_ONCE = 1000;

/**
 * Writes the events of a response from a place on, as they come, to its end; settles when that is written, or the client is gone. True for the
 * first. A client that is so slow that events were dropped before it had them is cut off: it sees a body that breaks off.
 */
export async function follow(
  { context: { streams, settings }, res }: ApiRequest,
  live: LiveResponse,
  form: SseForm,
  start: number,
): Promise<boolean> {
  const gone = clientGone(res);
  const sink = new SseReplyWriter(res, form);
  const stream = {
    active: false,
    lastSentAt: settings.clock.now(),
    heartbeat: () => sink.heartbeat(),
    stop: () => undefined, // the response is stopped, and its end is told
  };
  streams.add(stream);
  live.enter();
  try {
    for (let place = start; !gone.aborted;) {
      const { changed, endedAt } = live;
      const events = live.from(place, AT_ONCE);
      if (events === undefined) {
        res.destroy();
        return false;
      }
      place += events.length;
      if (events.length < AT_ONCE && endedAt !== undefined) {
        sink.finish(events);
        await sink.flushed();
        return !gone.aborted;
      }
      sink.send(events);
      stream.active ||= events.length > 0;
      if (sink.full) await sink.drained();
      else if (events.length < AT_ONCE) await unlessAborted(changed, gone);
    }
    return false;
  } finally {
    streams.delete(stream);
    live.leave();
  }
}

/** The events of a response that has ended and of which only the object is known: its items whole, and its end. */
export function replayOf(response: JsonObject, after: number | undefined): readonly WireEvent[] {
  const open = { completed_at: null, error: null, incomplete_details: null, status: 'in_progress' };
  const encoder = createResponsesEncoder({ responseId: String(response.id), response: { ...response, ...open } });
  const items = Array.isArray(response.output) ? (response.output as OutputItem[]) : [];
  const events = [
    ...encoder.push({ type: 'created' }),
    ...items.flatMap((item) => encoder.push({ type: 'output_item.done', item })),
  ];
  const end = endOf(response, Math.max(events.length, (after ?? -1) + 1));
  // They are not numbered as they were: to somebody who has seen some of them, the end tells all.
  return after === undefined ? [...events, end] : [end];
}

const ENDS: Readonly<Record<string, string>> = {
  completed: 'response.completed',
  incomplete: 'response.incomplete',
  cancelled: 'response.incomplete',
};

function endOf(response: JsonObject, sequenceNumber: number): WireEvent {
  const type = ENDS[String(response.status)] ?? 'response.failed';
  return { type, data: JSON.stringify({ type, response, sequence_number: sequenceNumber }) };
}
