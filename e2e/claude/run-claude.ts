import { runProgram, withFolders, type ClientFolders } from '../run-program.ts';

/** What one run of Claude Code left behind. */
export interface ClaudeRun {
  readonly code: number | null;
  /** The JSON object of `claude -p --output-format json`; undefined when it printed none. */
  readonly result: ClaudeResult | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Where it worked. */
  readonly folder: string;
}

export interface ClaudeResult {
  readonly is_error: boolean;
  /** The text of the last answer. */
  readonly result: string;
  readonly num_turns: number;
  readonly stop_reason: string | null;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

export interface ClaudeOptions {
  /** The bridge, without `/v1`. */
  readonly url: string;
  readonly prompt: string;
  readonly model: string;
  /** Tools that run without a question, separated by commas. Default: none. */
  readonly allowedTools?: string;
  readonly timeoutMs?: number;
}

/** Runs the real `claude -p` in a folder and with a home of its own, and hands both to `look` before they go. */
export async function runClaude<T>(options: ClaudeOptions, look: (run: ClaudeRun) => Promise<T> | T): Promise<T> {
  return withFolders('claude', async (folders) => look(await execute(options, folders)));
}

async function execute(options: ClaudeOptions, { home, folder }: ClientFolders): Promise<ClaudeRun> {
  const allowed = options.allowedTools === undefined ? [] : ['--allowedTools', options.allowedTools];
  const ended = await runProgram({
    command: process.execPath,
    // Its own launcher: no install script has put the program where `claude` would be.
    args: [
      new URL('node_modules/@anthropic-ai/claude-code/cli-wrapper.cjs', import.meta.url).pathname,
      ...['-p', options.prompt, '--model', options.model, '--output-format', 'json', ...allowed],
    ],
    cwd: folder,
    env: {
      HOME: home,
      ANTHROPIC_BASE_URL: options.url,
      ANTHROPIC_API_KEY: 'none',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_TELEMETRY: '1',
      DISABLE_AUTOUPDATER: '1',
      IS_SANDBOX: '1',
    },
    timeoutMs: options.timeoutMs,
  });
  return { ...ended, result: resultOf(ended.stdout), folder };
}

function resultOf(stdout: string): ClaudeResult | undefined {
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  return line === undefined ? undefined : (JSON.parse(line) as ClaudeResult);
}

/** What a failed run said, for whoever reads the test's output. */
export function explain(run: ClaudeRun): string {
  return `claude ended with ${run.code}\n${run.stderr}\n${run.stdout}`;
}
