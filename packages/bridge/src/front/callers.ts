import type { IncomingHttpHeaders } from 'node:http';
import type { BridgeContext } from '../exchange/context.ts';
import { LIVE_BYTES, LiveResponses, ownedBy } from '../store/index.ts';
import { Caller } from './caller.ts';
import { tokenFinder } from '@turnwire/client/internal/platform/token-finder';

/** Somebody who may call, and what their requests are answered with. */
export interface Known {
  /** Absent: the token of all. */
  readonly caller: Caller | undefined;
  readonly context: BridgeContext;
}

/** Tells callers by their tokens. */
export class Callers {
  /** Who has the token of all, or none where none is wanted. */
  readonly anybody: Known;
  readonly #known: readonly Known[];
  readonly #placeOf: (headers: IncomingHttpHeaders) => number | undefined;
  readonly #isOpen: boolean;

  constructor(context: BridgeContext) {
    const { authToken, callers, clock } = context.settings;
    const { peers } = context;
    this.anybody = { caller: undefined, context: { ...context, store: ownedBy(undefined, context.store) } };
    const named = callers.map((options) => {
      const caller = new Caller(options, clock);
      caller.onUse = peers?.shareUse(caller.name, (use) => caller.used(use));
      return { caller, context: contextOf(caller, context) };
    });
    const ofAll = authToken === undefined ? [] : [authToken];
    this.#isOpen = authToken === undefined && callers.length === 0;
    this.#known = [...ofAll.map(() => this.anybody), ...named];
    this.#placeOf = tokenFinder([...ofAll, ...callers.map(({ token }) => token)]);
  }

  /** Undefined for a token that nobody has. */
  find(headers: IncomingHttpHeaders): Known | undefined {
    if (this.#isOpen) return this.anybody;
    const place = this.#placeOf(headers);
    return place === undefined ? undefined : this.#known[place];
  }
}

/** The bridge as one caller sees it: with their own responses and streams. */
function contextOf(caller: Caller, context: BridgeContext): BridgeContext {
  const { settings, store, peers } = context;
  const streams = context.streams.within(caller.maxStreams);
  peers?.shareStreams(caller.name, streams);
  return {
    ...context,
    caller,
    begin: (start) => {
      const exchange = context.begin(start);
      exchange.identify(caller);
      return exchange;
    },
    store: ownedBy(caller.name, store),
    live: new LiveResponses(settings.clock, LIVE_BYTES / (settings.callers.length + 1), peers?.responses),
    streams,
  };
}
