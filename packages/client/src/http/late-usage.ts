import type { Clock } from '@turnwire/wire/internal/base/clock';
import { Deadline } from '@turnwire/wire/internal/base/deadline';
import type { StreamDecoder } from '@turnwire/wire/internal/decoder';
import type { Usage } from '@turnwire/wire/internal/model/usage';
import type { HttpResponse } from '../transport/http.ts';

export interface LateUsageOptions {
  readonly clock: Clock;
  /** Milliseconds after which the server is left alone. */
  readonly ms: number;
  /** Reads what comes behind the answer. A close is a good end for it. */
  readonly decoder: StreamDecoder;
}

/** Far more than a usage and the sentinel behind it. */
const MAX_BYTES = 64 * 1024;

/**
 * The usage that comes behind an answer which did not wait for it any longer. Ends with the sentinel, the body, the
 * time, 64 KiB, or the transport, and then gives the connection back. Never rejects.
 */
export async function readLateUsage(response: HttpResponse, options: LateUsageOptions): Promise<Usage | undefined> {
  const { clock, ms, decoder } = options;
  const patience = new Deadline(clock, ms, () => response.cancel());
  patience.start();
  let bytes = 0;
  try {
    for (let chunks = await response.read(); bytes < MAX_BYTES; chunks = await response.read()) {
      const events =
        chunks === undefined ? decoder.end({ type: 'close' }) : chunks.flatMap((chunk) => decoder.push(chunk));
      const end = events.find((event) => event.type === 'completed');
      if (end !== undefined || decoder.phase === 'ended') return end?.usage;
      for (const chunk of chunks ?? []) bytes += chunk.byteLength;
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    patience.stop();
    response.release();
  }
}
