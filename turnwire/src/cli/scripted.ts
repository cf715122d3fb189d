import { createProvider } from '@turnwire/client/internal/provider/provider';
import { startMock } from '@turnwire/testing';
import { connect } from './connect.ts';
import { demoScenario } from './demo-scenario.ts';
import type { OpenModel } from './model.ts';
import type { ProviderFlags } from './provider-flags.ts';
import { toModelServer } from './remembered-server.ts';

/** The embedded provider: a scripted model server on a free loopback port of this process. */
export async function openScripted(flags: ProviderFlags): Promise<OpenModel> {
  const wireApi = flags.wire ?? 'chat';
  const server = await startMock({ wire: wireApi, scenario: demoScenario });
  const provider = createProvider({
    name: 'scripted',
    baseUrl: server.baseUrl,
    wireApi,
    model: flags.model ?? 'scripted',
  });
  // No environment: a proxy of the machine has no business between a process and itself.
  const model = connect(provider, () => undefined, {});
  const at = { ...toModelServer(provider), is_scripted: true };
  return {
    ...model,
    server: at,
    agentModel: async () => ({ ...(await model.agentModel()), server: at }),
    async close() {
      await model.close();
      await server.close();
    },
  };
}
