import { sessionModel } from '@turnwire/agent/internal/session-model';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import type { GetEnv } from '@turnwire/client/internal/provider/provider-request';
import { createModelSession } from '@turnwire/client/internal/session/session';
import type { ModelError } from '@turnwire/wire/internal/model/errors';
import { createHttpTransport } from '@turnwire/client/internal/transport/http';
import type { CliContext } from './context.ts';
import type { OpenModel } from './model.ts';
import { proxyFromEnv } from './proxy.ts';

/**
 * A session with a provider, through the proxies of the environment.
 *
 * @param onFallback - called once, when the session gives WebSocket up
 */
export function connect(
  provider: ProviderConfig,
  getEnv: GetEnv,
  env: CliContext['env'],
  onFallback?: (error: ModelError) => void,
): OpenModel {
  const transport = createHttpTransport({ proxy: proxyFromEnv(env) });
  const observer = onFallback === undefined ? {} : { observer: { onFallback } };
  const session = createModelSession({ provider, getEnv, transport, ...observer });
  return {
    provider,
    agentModel: sessionModel(session),
    async close() {
      await session.close();
      await transport.close();
    },
  };
}
