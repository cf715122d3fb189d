import { sessionModel } from '@turnwire/agent/internal/session-model';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import type { GetEnv } from '@turnwire/client/internal/provider/provider-request';
import { createModelSession } from '@turnwire/client/internal/session/session';
import type { ModelObserver } from '@turnwire/client/internal/observer';
import { createHttpTransport } from '@turnwire/client/internal/transport/http';
import type { CliContext } from './context.ts';
import type { OpenModel } from './model.ts';
import { proxyFromEnv } from './proxy.ts';
import { toModelServer } from './remembered-server.ts';

/**
 * A session with a provider, through the proxies of the environment.
 *
 * @param watch - hears when the session gives WebSocket up, and how many events of an answer were passed over
 */
export function connect(
  provider: ProviderConfig,
  getEnv: GetEnv,
  env: CliContext['env'],
  watch?: Pick<ModelObserver, 'onFallback' | 'onSkipped'>,
): OpenModel {
  const transport = createHttpTransport({ proxy: proxyFromEnv(env) });
  const observer = watch === undefined ? {} : { observer: watch };
  const ended = new AbortController();
  const session = createModelSession({ provider, getEnv, transport, ...observer });
  return {
    provider,
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
