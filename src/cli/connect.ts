import { sessionModel } from '../agent/session-model.ts';
import type { ProviderConfig } from '../client/provider/provider.ts';
import type { GetEnv } from '../client/provider/provider-request.ts';
import { createModelSession } from '../client/session/session.ts';
import type { ModelError } from '../model/errors.ts';
import { createHttpTransport } from '../transport/http.ts';
import type { CliContext } from './context.ts';
import type { OpenModel } from './model.ts';
import { proxyFromEnv } from './proxy.ts';

/**
 * A session with a provider, through the proxies of the environment.
 *
 * @param onFallback - told once, when the session gives WebSocket up
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
