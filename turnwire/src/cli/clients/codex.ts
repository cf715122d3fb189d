import { join } from 'node:path';
import type { KeyEdit } from '../setup/text-style.ts';
import { tomlOf, tomlValue } from '../setup/toml-text.ts';
import { codexFolder } from '../user-folders.ts';
import {
  NO_TOKEN,
  TOKEN_VARIABLE,
  type ConfigurableClient,
  type LaunchableClient,
  type SetupTarget,
  type Target,
} from './client.ts';

/**
 * What Codex has to know of a bridge. Its key comes from a command: then it asks the bridge what the models can do; with one from a
 * variable it guesses.
 *
 * @param provider - name of the table
 * @param auth - the command that prints the key
 */
function keysOf(
  { url, model, contextWindow, search, websockets = true }: Target,
  provider: string,
  [command, ...args]: readonly [string, ...string[]],
): readonly KeyEdit[] {
  const table = ['model_providers', provider];
  return [
    { path: ['model'], value: model },
    { path: ['model_provider'], value: provider },
    // That of another model, if there is one: Codex takes it for this one's.
    { path: ['model_context_window'], value: contextWindow },
    { path: [...table, 'name'], value: 'turnwire' },
    { path: [...table, 'base_url'], value: `${url}/v1` },
    { path: [...table, 'wire_api'], value: 'responses' },
    { path: [...table, 'supports_websockets'], value: websockets },
    // It searches where this and its feature are set.
    { path: [...table, 'supports_standalone_web_search'], value: search ? true : undefined },
    // It refuses both.
    { path: [...table, 'env_key'], value: undefined },
    { path: [...table, 'auth', 'command'], value: command },
    { path: [...table, 'auth', 'args'], value: args },
    // Without a search engine it stays as its user has it.
    ...(search ? [{ path: ['features', 'standalone_web_search'], value: true }] : []),
  ];
}

/**
 * OpenAI's Codex. Its `-c` goes before its files and its profile; a later one goes before an earlier one. The provider has a name
 * that its files do not have: keys of one with the same name would be added to ours.
 */
export const codex: LaunchableClient = {
  name: 'codex',
  program: 'codex',
  install: 'npm install -g @openai/codex',
  launch: (target) => ({
    args: keysOf(target, 'turnwire_run', [process.execPath, '-p', `process.env.${TOKEN_VARIABLE}`])
      .filter(({ value }) => value !== undefined)
      .flatMap(({ path, value }) => ['-c', `${path.join('.')}=${tomlValue(value)}`]),
    env: { [TOKEN_VARIABLE]: target.token },
    files: {},
  }),
};

function setupKeysOf(target: SetupTarget): readonly KeyEdit[] {
  const { tokenVariable: variable } = target;
  return keysOf(target, 'turnwire', variable === undefined ? ['echo', NO_TOKEN] : ['printenv', variable]);
}

/** What `turnwire setup` writes into an empty file. */
export function codexBlock(target: SetupTarget): string {
  return tomlOf(setupKeysOf(target));
}

/** Its `config.toml`, as `turnwire setup` writes it. */
export const codexSetup: ConfigurableClient = {
  name: 'codex',
  files: (cli) => [join(codexFolder(cli), 'config.toml')],
  edit: async (text, target) => {
    const { editToml } = await import('../setup/edit-toml.ts');
    return editToml(text, setupKeysOf(target));
  },
  hints: () => ['Then start it: codex'],
};
