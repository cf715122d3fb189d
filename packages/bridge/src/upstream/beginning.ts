import type { Clock } from '@turnwire/wire/internal/base/clock';
import { Deadline } from '@turnwire/wire/internal/base/deadline';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { Upstream } from './pool.ts';

/**
 * An answer that has begun, but says nothing yet (`response.created`), is held back for so long, in milliseconds: servers
 * that are full or out of credit often say so right behind it, and then another one can still answer.
 */
export const HOLD_MS = 1000;

/** True for an event that comes from a response's headers and is no part of the answer. */
export function isOfHead(event: ModelEvent): boolean {
  return event.type === 'server_model' || event.type === 'rate_limits' || event.type === 'models_etag';
}

/** True for what says nothing yet: after it, the request can still be put to another server. */
export function isSilent(event: ModelEvent): boolean {
  return isOfHead(event) || event.type === 'created';
}

/**
 * When the time is over without a first event: gives up on the server if another one would take the request, else waits on.
 * Nothing happens after `stop`.
 */
export function firstEventDeadline(
  { clock, ms, hasOther }: FirstEventLimit,
  giveUp: () => void,
  waitOn: () => void = () => undefined,
): Deadline {
  const deadline = new Deadline(clock, ms, () => (hasOther() ? giveUp() : waitOn()));
  deadline.start();
  return deadline;
}

export interface FirstEventLimit {
  readonly clock: Clock;
  /** 0 is none. */
  readonly ms: number;
  /** True while another server would take the request. */
  readonly hasOther: () => boolean;
}

/** What a server is given up for that sent no event in time. */
export function silence(upstream: Upstream, ms: number): ModelError {
  return new ModelError({ kind: 'stream_idle', message: `${upstream.label} sent no event within ${ms} ms` });
}
