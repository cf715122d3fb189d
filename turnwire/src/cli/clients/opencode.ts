import { join } from 'node:path';
import { isObject, parseJson } from '@turnwire/wire/internal/base/json';
import { configHome } from '../user-folders.ts';
import { NO_TOKEN, type ConfigurableClient, type LaunchableClient, type Target } from './client.ts';

const VARIABLE = 'OPENCODE_CONFIG_CONTENT';

/** opencode keeps so many tokens of the window for the answer. */
const MAX_ANSWER = 32_000;

/** @param apiKey - as opencode reads it: a text, or `{env:NAME}` */
function configOf({ url, model, contextWindow }: Target, apiKey: string) {
  const name = `turnwire/${model}`;
  const limit =
    contextWindow === undefined
      ? {}
      : { limit: { context: contextWindow, output: Math.min(MAX_ANSWER, Math.ceil(contextWindow / 4)) } };
  return {
    model: name,
    // For titles and the like; without it opencode asks a server of its own.
    small_model: name,
    provider: {
      turnwire: {
        npm: '@ai-sdk/openai-compatible',
        name: 'turnwire',
        options: { baseURL: `${url}/v1`, apiKey },
        models: { [model]: { name: model, tool_call: true, ...limit } },
      },
    },
  };
}

/** opencode. What stands in this variable goes before all of its files; what the user has in it stays, beside ours. */
export const opencode: LaunchableClient = {
  name: 'opencode',
  program: 'opencode',
  install: 'npm install -g opencode-ai',
  launch: (target, env) => {
    const before = parseJson(env[VARIABLE] ?? '');
    const theirs = isObject(before) ? before : {};
    const ours = configOf(target, target.token);
    const provider = { ...(isObject(theirs.provider) ? theirs.provider : {}), ...ours.provider };
    return { args: [], env: { [VARIABLE]: JSON.stringify({ ...theirs, ...ours, provider }) }, files: {} };
  },
};

/** Its configuration for all projects, as `turnwire setup` writes it. */
export const opencodeSetup: ConfigurableClient = {
  name: 'opencode',
  files: (cli) => ['opencode.json', 'opencode.jsonc'].map((name) => join(configHome(cli), 'opencode', name)),
  edit: async (text, target) => {
    const { editJsonc } = await import('../setup/edit-jsonc.ts');
    const { tokenVariable: variable } = target;
    const { provider, ...others } = configOf(target, variable === undefined ? NO_TOKEN : `{env:${variable}}`);
    return editJsonc(text, [
      // opencode puts it in itself where it is missing.
      { path: ['$schema'], value: 'https://opencode.ai/config.json' },
      ...Object.entries(others).map(([key, value]) => ({ path: [key], value })),
      { path: ['provider', 'turnwire'], value: provider.turnwire },
    ]);
  },
  hints: () => ['Then start it: opencode'],
};
