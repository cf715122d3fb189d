import { stringify } from 'smol-toml';
import { TOKEN_VARIABLE, type LaunchableClient, type LaunchTarget } from './client.ts';

/** What Codex has to know of a bridge, by the path of each key in its configuration. */
function keysOf({ url, model, contextWindow }: LaunchTarget): readonly (readonly [path: string, value: unknown])[] {
  const table = 'model_providers.turnwire';
  return [
    ['model', model],
    ['model_provider', 'turnwire'],
    ...(contextWindow === undefined ? [] : [['model_context_window', contextWindow] as const]),
    [`${table}.name`, 'turnwire'],
    [`${table}.base_url`, `${url}/v1`],
    [`${table}.wire_api`, 'responses'],
    [`${table}.supports_websockets`, true],
    // With a key from a command it asks the bridge what the models can do; with one from a variable it guesses.
    [`${table}.auth.command`, process.execPath],
    [`${table}.auth.args`, ['-p', `process.env.${TOKEN_VARIABLE}`]],
  ];
}

/** OpenAI's Codex. Its `-c` goes before its files and its profile; a later one goes before an earlier one. */
export const codex: LaunchableClient = {
  name: 'codex',
  program: 'codex',
  install: 'npm install -g @openai/codex',
  launch: (target) => ({
    args: keysOf(target).flatMap(([path, value]) => ['-c', `${path}=${tomlValue(value)}`]),
    env: { [TOKEN_VARIABLE]: target.token },
    files: {},
  }),
};

function tomlValue(value: unknown): string {
  return stringify({ value })
    .trim()
    .replace(/^value = /, '');
}
