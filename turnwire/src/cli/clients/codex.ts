import { join } from 'node:path';
import { editToml, tomlValue } from '../setup/edit-toml.ts';
import type { KeyEdit } from '../setup/text-style.ts';
import { codexFolder } from '../user-folders.ts';
import { TOKEN_VARIABLE, type ConfigurableClient, type LaunchableClient, type Target } from './client.ts';

const PROVIDER = ['model_providers', 'turnwire'] as const;

/** What Codex has to know of a bridge, but for the token. */
function keysOf({ url, model, contextWindow }: Target): readonly KeyEdit[] {
  return [
    { path: ['model'], value: model },
    { path: ['model_provider'], value: 'turnwire' },
    // That of another model, if there is one: Codex takes it for this one's.
    { path: ['model_context_window'], value: contextWindow },
    { path: [...PROVIDER, 'name'], value: 'turnwire' },
    { path: [...PROVIDER, 'base_url'], value: `${url}/v1` },
    { path: [...PROVIDER, 'wire_api'], value: 'responses' },
    { path: [...PROVIDER, 'supports_websockets'], value: true },
  ];
}

/** With a key from a command it asks the bridge what the models can do; with one from a variable it guesses. */
const tokenByCommand: readonly KeyEdit[] = [
  { path: [...PROVIDER, 'auth', 'command'], value: process.execPath },
  { path: [...PROVIDER, 'auth', 'args'], value: ['-p', `process.env.${TOKEN_VARIABLE}`] },
];

/** OpenAI's Codex. Its `-c` goes before its files and its profile; a later one goes before an earlier one. */
export const codex: LaunchableClient = {
  name: 'codex',
  program: 'codex',
  install: 'npm install -g @openai/codex',
  launch: (target) => ({
    args: [...keysOf(target), ...tokenByCommand]
      .filter(({ value }) => value !== undefined)
      .flatMap(({ path, value }) => ['-c', `${path.join('.')}=${tomlValue(value)}`]),
    env: { [TOKEN_VARIABLE]: target.token },
    files: {},
  }),
};

/** Its `config.toml`, as `turnwire setup` writes it. */
export const codexSetup: ConfigurableClient = {
  name: 'codex',
  files: (cli) => [join(codexFolder(cli), 'config.toml')],
  edit: (text, target) =>
    editToml(text, [...keysOf(target), { path: [...PROVIDER, 'env_key'], value: target.tokenVariable }]),
  hints: () => ['Then start it: codex'],
};
