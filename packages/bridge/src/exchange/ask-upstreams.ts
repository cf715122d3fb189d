import type { HttpResponse, HttpTransport } from '@turnwire/client/internal/transport/http';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { retryPolicies, withBudgets } from '@turnwire/wire/internal/model/retry-policy';
import type { Exchange } from '../observe/exchange.ts';
import { failOver, type FailoverOptions, type Outcome } from '../upstream/failover.ts';
import { tapped } from '../upstream/peek.ts';
import type { Upstream } from '../upstream/pool.ts';
import type { SealedTurn } from '../upstream/sealed-turn.ts';
import type { BridgeContext } from './context.ts';

/** A request that looks for a server. */
export interface Asking {
  readonly context: BridgeContext;
  readonly exchange: Exchange;
  readonly turn: SealedTurn | undefined;
  readonly signal: AbortSignal;
}

/** Finds an upstream that begins to answer, or the failure that tells most. */
export async function askUpstreams<Answer, Refusal>(
  { context, exchange, turn, signal }: Asking,
  how: Pick<FailoverOptions<Answer, Refusal>, 'model' | 'maker' | 'ask' | 'drop'>,
): Promise<Outcome<Answer, Refusal>> {
  const { settings, pool } = context;
  const lacking = await pool.lacking(how.model, signal);
  return failOver({
    ...how,
    pool,
    lacking,
    clock: settings.clock,
    policy: withBudgets(retryPolicies.bridge, { request: settings.requestMaxRetries }),
    exchange,
    sticky: turn?.upstream,
    signal,
  });
}

/** The transport to one upstream, whose answers are watched; `wire` is the one that it is asked on. */
export function watchedTransport(
  { context, exchange }: Asking,
  { label }: Upstream,
  wire: ProtocolId | undefined,
): HttpTransport {
  const { transport } = context;
  return {
    send: async (request): Promise<HttpResponse> => {
      exchange.onAsked(request);
      const response = await transport.send(request);
      exchange.onHead({ upstream: label, wire, status: response.status, headers: response.headers });
      const { onChunk } = exchange;
      if (onChunk === undefined) return response;
      return tapped(response, {
        chunk: onChunk,
        end: (how) => exchange.onBodyEnd(how),
        letGo: (forget) => exchange.onLetGo(forget),
      });
    },
    close: () => transport.close(),
  };
}
