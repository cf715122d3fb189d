import type { ModelPort } from '@turnwire/agent/internal/model-port';
import { sessionModel } from '@turnwire/agent/internal/session-model';
import type { ModelObserver } from '@turnwire/client/internal/observer';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import type { GetEnv } from '@turnwire/client/internal/provider/provider-request';
import { createModelSession } from '@turnwire/client/internal/session/session';
import { createHttpTransport } from '@turnwire/client/internal/transport/http';
import type { ProxyOptions } from '@turnwire/client/internal/transport/proxy-choice';
import type { OpenModel } from './model.ts';
import { toModelServer } from './remembered-server.ts';

export interface ConnectionOptions {
  readonly provider: ProviderConfig;
  readonly getEnv: GetEnv;
  readonly proxy: ProxyOptions;
  readonly watch: Pick<ModelObserver, 'onFallback' | 'onSkipped'> | undefined;
}

/** What `connect` loads once it is needed. */
export interface Connection extends Pick<OpenModel, 'models' | 'close'> {
  readonly agentModel: ModelPort;
}

/** A session with a provider, and the transport below it. Nothing is sent before it is asked. */
export function openConnection({ provider, getEnv, proxy, watch }: ConnectionOptions): Connection {
  const transport = createHttpTransport({ proxy });
  const ended = new AbortController();
  const session = createModelSession({ provider, getEnv, transport, ...(watch && { observer: watch }) });
  return {
    agentModel: { ...sessionModel(session), server: toModelServer(provider) },
    async models() {
      // Loaded only where it is asked for: a chat starts without it.
      const { askServer } = await import('./servers/ask-models.ts');
      return (await askServer({ transport, provider, getEnv, signal: ended.signal })).models;
    },
    async close() {
      ended.abort();
      await session.close();
      await transport.close();
    },
  };
}
