/** Terminal chats, each with a home of its own, on a model server of this machine. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProtocolId } from '../../packages/wire/src/index.ts';

const root = join(import.meta.dirname, '..', '..');

/** What runs in the terminal. */
export interface Started {
  /** For a shell. */
  readonly command: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Client {
  readonly name: string;
  /** The protocol that it asks on. */
  readonly wire: ProtocolId;
  /** What has to be there, and the command that brings it. */
  readonly program: string;
  readonly install: string;
  /** @param home - an empty folder; @param folder - where it works */
  readonly start: (home: string, folder: string, baseUrl: string) => Started;
  /** What the screen shows once one can type. */
  readonly ready: RegExp;
}

const turnwire = join(root, 'turnwire', 'dist', 'cli', 'main.js');
const codex = join(root, 'e2e', 'codex', 'node_modules', '.bin', 'codex');
const opencode = join(
  root,
  ...['e2e', 'opencode', 'node_modules', `opencode-${process.platform}-${process.arch}`, 'bin', 'opencode'],
);

export const clients: readonly Client[] = [
  {
    name: 'turnwire',
    wire: 'responses',
    program: turnwire,
    install: 'npm run build',
    start: (_home, _folder, baseUrl) => ({
      command: `exec '${process.execPath}' '${turnwire}' chat --base-url '${baseUrl}' --wire responses --model scripted`,
    }),
    ready: /^›/m,
  },
  {
    name: 'Codex',
    wire: 'responses',
    program: codex,
    install: 'npm ci --prefix e2e/codex',
    start: (home, folder, baseUrl) => {
      mkdirSync(join(home, '.codex'), { recursive: true });
      writeFileSync(join(home, '.codex', 'config.toml'), codexConfig(folder, baseUrl));
      return { command: `exec '${codex}'` };
    },
    ready: /^\s*›/m,
  },
  {
    name: 'opencode',
    wire: 'chat',
    program: opencode,
    install: 'npm ci --ignore-scripts --prefix e2e/opencode',
    start: (_home, _folder, baseUrl) => ({
      command: `exec '${opencode}'`,
      env: {
        // Nothing beyond loopback.
        ...{
          OPENCODE_DISABLE_MODELS_FETCH: '1',
          OPENCODE_DISABLE_AUTOUPDATE: '1',
          OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
        },
        OPENCODE_CONFIG_CONTENT: JSON.stringify(opencodeConfig(baseUrl)),
      },
    }),
    ready: /Ask anything/,
  },
];

export const isThere = ({ program }: Client): boolean => existsSync(program);

function codexConfig(folder: string, baseUrl: string): string {
  return `model = "scripted"
model_provider = "bench"
check_for_update_on_startup = false

[model_providers.bench]
name = "bench"
base_url = "${baseUrl}"
wire_api = "responses"

[projects."${folder}"]
trust_level = "trusted"
`;
}

function opencodeConfig(baseURL: string): object {
  const models = { scripted: { name: 'scripted', limit: { context: 2_000_000, output: 1_000_000 } } };
  const provider = { npm: '@ai-sdk/openai-compatible', name: 'bench', options: { baseURL, apiKey: 'none' }, models };
  return { model: 'bench/scripted', small_model: 'bench/scripted', provider: { bench: provider } };
}
