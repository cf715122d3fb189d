import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { aborted, pause } from '@turnwire/client/internal/platform/wait';
import type { TapedExchange, TapedResponse } from './tape.ts';
import { flatHeaders } from './proxy.ts';
import { breakOff } from './record-http.ts';

/** How taped times become waits. */
export interface ReplayPace {
  readonly clock: Clock;
  /** 0: no waits. */
  readonly factor: number;
}

/** What is written before a reset needs this long, in milliseconds, to be taken by a client at any speed. */
const SETTLE = 20;

/** The times of one exchange: each is waited for from its start, so that delays do not add up. */
export class Timeline {
  readonly #pace: ReplayPace;
  readonly #start: number;

  constructor(pace: ReplayPace) {
    this.#pace = pace;
    this.#start = pace.clock.now();
  }

  /** Waits until a taped time has come; at `max` it always has. The signal ends the wait early. */
  async until(ms: number, signal: AbortSignal): Promise<void> {
    const { clock, factor } = this.#pace;
    const left = this.#start + ms * factor - clock.now();
    if (factor > 0 && left > 0) await pause(clock, left, signal);
  }
}

/** Serves one exchange as it was. Ends with it, or when the signal says that nobody listens. */
export async function playExchange(
  res: ServerResponse,
  exchange: TapedExchange,
  pace: ReplayPace,
  signal: AbortSignal,
): Promise<void> {
  const time = new Timeline(pace);
  if (exchange.response !== undefined) await playAnswer(res, exchange, exchange.response, time, signal);
  await time.until(exchange.end.ms, signal);
  if (!signal.aborted) await playEnd(res, exchange, pace, signal);
}

async function playAnswer(
  res: ServerResponse,
  { chunks }: TapedExchange,
  { ms, status, reason, headers }: TapedResponse,
  time: Timeline,
  signal: AbortSignal,
): Promise<void> {
  await time.until(ms, signal);
  if (signal.aborted) return;
  res.sendDate = false;
  res.writeHead(status, reason, flatHeaders(headers));
  res.flushHeaders();
  for (const chunk of chunks) {
    await time.until(chunk.ms, signal);
    if (res.destroyed) return;
    // Each write is an HTTP chunk of its own; the next waits for a socket that takes no more.
    if (!res.write(chunk.data)) await once(res, 'drain', { signal }).catch(() => undefined);
  }
}

async function playEnd(
  res: ServerResponse,
  { response, end }: TapedExchange,
  pace: ReplayPace,
  signal: AbortSignal,
): Promise<void> {
  switch (end.how) {
    case 'complete':
      res.end();
      return;
    case 'failed':
      res.socket?.destroy();
      return;
    case 'cut':
      breakOff(res, 'cut');
      return;
    case 'torn':
      if (response === undefined) res.socket?.destroy();
      else breakOff(res, 'cut');
      return;
    case 'reset':
      await pause(pace.clock, SETTLE, signal);
      if (!signal.aborted) breakOff(res, 'reset');
      return;
    case 'client-left':
    case 'stopped':
      // The server had not ended, and nobody knows what it would have done: it waits for its client to leave.
      await aborted(signal);
  }
}
