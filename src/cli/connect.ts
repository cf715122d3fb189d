import { createModelClient } from '../client/model-client.ts';
import type { ProviderConfig } from '../client/provider.ts';
import type { GetEnv } from '../client/provider-request.ts';
import { createHttpTransport } from '../transport/http.ts';
import type { CliContext } from './context.ts';
import type { OpenModel } from './open-model.ts';
import { proxyFromEnv } from './proxy.ts';

/** A client for a provider, through the proxies of the environment. */
export function connect(provider: ProviderConfig, getEnv: GetEnv, env: CliContext['env']): OpenModel {
  const transport = createHttpTransport({ proxy: proxyFromEnv(env) });
  const client = createModelClient({ provider, getEnv, transport });
  return {
    provider,
    stream: (request, options) => client.stream(request, options).batches(),
    close: () => transport.close(),
  };
}
