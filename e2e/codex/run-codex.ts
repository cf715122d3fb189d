import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram, withFolders, type ClientFolders } from '../run-program.ts';

/** What one run of Codex left behind. */
export interface CodexRun {
  readonly code: number | null;
  /** The JSON lines of `codex exec --json`. */
  readonly events: readonly CodexEvent[];
  readonly stderr: string;
  /** Where it worked. */
  readonly folder: string;
  /** Where it keeps its own files. */
  readonly home: string;
}

export interface CodexEvent {
  readonly type: string;
  readonly item?: { readonly type: string; readonly text?: string; readonly [name: string]: unknown };
  readonly [name: string]: unknown;
}

export interface CodexOptions {
  /** The bridge, with `/v1`. */
  readonly baseUrl: string;
  readonly prompt: string;
  readonly model: string;
  readonly websockets: boolean;
  /** What Codex takes the provider for. Under the name OpenAI it has conversations compacted by the server. Default `turnwire`. */
  readonly providerName?: string;
  /** The provider has a web search. Default false. */
  readonly searches?: boolean;
  /** Tokens of a conversation from which on it is compacted. Default: Codex' own. */
  readonly compactAt?: number;
  /** What commands of the model may do. Default: everything, since the model is a script. */
  readonly readOnly?: boolean;
  readonly timeoutMs?: number;
  /** Codex asks for the catalogue of models: it does so where it has the key from a command. Default false. */
  readonly catalogue?: boolean;
}

/** Runs the real `codex exec` in a folder and with a home of its own, and hands both to `look` before they go. */
export async function runCodex<T>(options: CodexOptions, look: (run: CodexRun) => Promise<T> | T): Promise<T> {
  return withFolders('codex', async (folders) => {
    await writeFile(join(folders.home, 'config.toml'), configOf(options));
    return look({ ...(await execute(options, folders)), ...folders });
  });
}

/** The block that `turnwire bridge` prints, and what makes a run quiet. */
function configOf({
  baseUrl,
  model,
  websockets,
  providerName = 'turnwire',
  compactAt,
  searches = false,
  catalogue,
}: CodexOptions): string {
  return [
    `model = "${model}"`,
    'model_provider = "turnwire"',
    'check_for_update_on_startup = false',
    ...(compactAt === undefined ? [] : [`model_auto_compact_token_limit = ${compactAt}`]),
    '',
    '[model_providers.turnwire]',
    `name = "${providerName}"`,
    `base_url = "${baseUrl}"`,
    'wire_api = "responses"',
    `supports_websockets = ${websockets}`,
    ...(searches ? ['supports_standalone_web_search = true'] : []),
    'request_max_retries = 1',
    'stream_max_retries = 1',
    ...(searches ? ['[features]', 'standalone_web_search = true'] : []),
    '',
    ...(catalogue === true ? ['[model_providers.turnwire.auth]', 'command = "echo"', 'args = ["none"]', ''] : []),
  ].join('\n');
}

async function execute(
  options: CodexOptions,
  { home, folder }: ClientFolders,
): Promise<Omit<CodexRun, 'folder' | 'home'>> {
  const sandbox =
    options.readOnly === true ? ['--sandbox', 'read-only'] : ['--dangerously-bypass-approvals-and-sandbox'];
  const { code, stdout, stderr } = await runProgram({
    command: new URL('node_modules/.bin/codex', import.meta.url).pathname,
    args: ['exec', '--json', '--skip-git-repo-check', ...sandbox, options.prompt],
    cwd: folder,
    env: { HOME: home, CODEX_HOME: home, NO_COLOR: '1' },
    timeoutMs: options.timeoutMs,
  });
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return { code, stderr, events: lines.map((line) => JSON.parse(line) as CodexEvent) };
}

/** What a failed run said, for whoever reads the test's output. */
export function explain(run: CodexRun): string {
  return `codex ended with ${run.code}\n${run.stderr}\n${run.events.map((event) => JSON.stringify(event)).join('\n')}`;
}
