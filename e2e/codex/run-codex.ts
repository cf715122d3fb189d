import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What one run of Codex left behind. */
export interface CodexRun {
  readonly code: number | null;
  /** The JSON lines of `codex exec --json`. */
  readonly events: readonly CodexEvent[];
  readonly stderr: string;
  /** Where it worked. */
  readonly folder: string;
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
  /** What commands of the model may do. Default: everything, since the model is a script. */
  readonly readOnly?: boolean;
  readonly timeoutMs?: number;
}

/** Runs the real `codex exec` in a folder and with a home of its own, and hands both to `look` before they go. */
export async function runCodex<T>(options: CodexOptions, look: (run: CodexRun) => Promise<T> | T): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'turnwire-codex-'));
  const home = join(root, 'home');
  const folder = join(root, 'work');
  try {
    await mkdir(home, { recursive: true });
    await mkdir(folder);
    await writeFile(join(home, 'config.toml'), configOf(options));
    return await look({ ...(await execute(options, home, folder)), folder });
  } finally {
    await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** The block that `turnwire bridge` prints, and what makes a run quiet. */
function configOf({ baseUrl, model, websockets }: CodexOptions): string {
  return [
    `model = "${model}"`,
    'model_provider = "turnwire"',
    'check_for_update_on_startup = false',
    '',
    '[model_providers.turnwire]',
    'name = "turnwire"',
    `base_url = "${baseUrl}"`,
    'wire_api = "responses"',
    `supports_websockets = ${websockets}`,
    'request_max_retries = 1',
    'stream_max_retries = 1',
    '',
  ].join('\n');
}

async function execute(options: CodexOptions, home: string, folder: string): Promise<Omit<CodexRun, 'folder'>> {
  const binary = new URL('node_modules/.bin/codex', import.meta.url).pathname;
  const sandbox =
    options.readOnly === true ? ['--sandbox', 'read-only'] : ['--dangerously-bypass-approvals-and-sandbox'];
  const flags = ['exec', '--json', '--skip-git-repo-check', ...sandbox];
  const child = spawn(binary, [...flags, options.prompt], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: home, CODEX_HOME: home, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 120_000,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return { code, stderr, events: lines.map((line) => JSON.parse(line) as CodexEvent) };
}

/** What a failed run said, for whoever reads the test's output. */
export function explain(run: CodexRun): string {
  return `codex ended with ${run.code}\n${run.stderr}\n${run.events.map((event) => JSON.stringify(event)).join('\n')}`;
}
