import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import type { GetEnv } from '@turnwire/client/internal/provider/provider-request';
import type { ModelObserver } from '@turnwire/client/internal/observer';
import type { Connection } from './connection.ts';
import type { CliContext } from './context.ts';
import type { OpenModel } from './model.ts';
import { proxyFromEnv } from './proxy.ts';
import { toModelServer } from './remembered-server.ts';

/**
 * A session with a provider, through the proxies of the environment.
 *
 * @param watch - hears when the session gives WebSocket up, and how many events of an answer were passed over
 * @throws UsageError for a proxy that cannot be used
 */
export function connect(
  provider: ProviderConfig,
  getEnv: GetEnv,
  env: CliContext['env'],
  watch?: Pick<ModelObserver, 'onFallback' | 'onSkipped'>,
): OpenModel {
  const options = { provider, getEnv, proxy: proxyFromEnv(env), watch };
  let opening: Promise<Connection> | undefined;
  // What speaks to a server is sixty files: a chat can be typed in before they are read.
  const open = async (): Promise<Connection> => (await import('./connection.ts')).openConnection(options);
  return {
    provider,
    server: toModelServer(provider),
    agentModel: async () => (await (opening ??= open())).agentModel,
    models: async () => (await (opening ??= open())).models(),
    close: async () => (await opening)?.close(),
  };
}
