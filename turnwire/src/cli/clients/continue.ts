import { isAbsolute, join } from 'node:path';
import type { CliContext } from '../context.ts';
import { NO_TOKEN, type ConfigurableClient } from './client.ts';

function fileIn({ env, home }: Pick<CliContext, 'env' | 'home'>, name: string): string {
  const own = env.CONTINUE_GLOBAL_DIR;
  return join(own !== undefined && isAbsolute(own) ? own : join(home, '.continue'), name);
}

/** What its file has to begin with. */
const NEW = 'name: Local Config\nversion: 1.0.0\nschema: v1\n';

/** Continue (VS Code, JetBrains): a model beside those that are there, to be chosen in the editor. */
export const continueSetup: ConfigurableClient = {
  name: 'continue',
  files: (cli) => [fileIn(cli, 'config.yaml')],
  rival: (cli) => fileIn(cli, 'config.json'),
  edit: async (text, { url, model, contextWindow, tokenVariable }) => {
    const { putInYamlList } = await import('../setup/edit-yaml.ts');
    return putInYamlList(text.trim() === '' ? NEW : text, 'models', {
      name: 'turnwire',
      provider: 'openai',
      model,
      apiBase: `${url}/v1`,
      apiKey: tokenVariable === undefined ? NO_TOKEN : `\${{ secrets.${tokenVariable} }}`,
      roles: ['chat', 'edit', 'apply'],
      capabilities: ['tool_use'],
      ...(contextWindow === undefined ? {} : { defaultCompletionOptions: { contextLength: contextWindow } }),
    });
  },
  hints: ({ tokenVariable }) => [
    'Then choose the model turnwire in the editor',
    ...(tokenVariable === undefined
      ? []
      : [`Put ${tokenVariable}=… into ~/.continue/.env: editors have another environment`]),
  ],
};
