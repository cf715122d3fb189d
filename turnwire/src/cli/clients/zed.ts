import { join } from 'node:path';
import { configHome } from '../user-folders.ts';
import type { ConfigurableClient } from './client.ts';

/** Zed wants a size; this is one that most servers can be started with. */
const WINDOW = 32_768;

/** Zed: a provider of its agent. The key is no setting there: Zed asks for it, or takes it from a variable of this name. */
export const zedSetup: ConfigurableClient = {
  name: 'zed',
  files: (cli) => [join(configHome(cli), 'zed', 'settings.json')],
  edit: async (text, { url, model, contextWindow }) => {
    const { editJsonc } = await import('../setup/edit-jsonc.ts');
    return editJsonc(text, [
      { path: ['agent', 'default_model'], value: { provider: 'turnwire', model } },
      {
        path: ['language_models', 'openai_compatible', 'turnwire'],
        value: {
          api_url: `${url}/v1`,
          available_models: [
            {
              name: model,
              display_name: model,
              max_tokens: contextWindow ?? WINDOW,
              capabilities: { tools: true, images: false, parallel_tool_calls: true, prompt_cache_key: false },
            },
          ],
        },
      },
    ]);
  },
  hints: ({ tokenVariable }) => [
    `Give Zed a key for turnwire in the settings of its agent, or start it with TURNWIRE_API_KEY=${
      tokenVariable === undefined ? 'none' : `"$${tokenVariable}"`
    }`,
  ],
};
