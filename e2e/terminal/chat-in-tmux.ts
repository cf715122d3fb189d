import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasTmux, Tmux } from '../../test/terminal/tmux.ts';

export const main = join(import.meta.dirname, '..', '..', 'turnwire', 'src', 'cli', 'main.ts');

/** Why the tests cannot run; `false` when they can. */
export const skip = !hasTmux && 'tmux is not installed (Debian: apt-get install tmux)';

export interface OpenChat extends Disposable {
  readonly tmux: Tmux;
  readonly cwd: string;
}

export interface ChatInTmuxOptions {
  /** Of the model server. */
  readonly baseUrl: string;
  /** More arguments, for a shell. */
  readonly flags?: string;
  readonly columns?: number;
  readonly rows?: number;
  /** Default: a new one, which goes with the chat. */
  readonly cwd?: string;
}

/** The command that talks to a model server without a configuration. */
export function chatCommand(baseUrl: string, flags = ''): string {
  return `'${process.execPath}' '${main}' chat --base-url '${baseUrl}' --wire chat --model tiny ${flags}`;
}

/** A chat in tmux, in a folder of its own, ready for a line. */
export async function openChat({ baseUrl, flags, columns, rows, cwd: given }: ChatInTmuxOptions): Promise<OpenChat> {
  const cwd = given ?? mkdtempSync(join(tmpdir(), 'turnwire-terminal-'));
  const command = `${chatCommand(baseUrl, flags)}; echo exit $?; exec cat`;
  const tmux = new Tmux({ cwd, command, ...(columns && { columns }), ...(rows && { rows }) });
  await tmux.until('tiny at');
  return {
    tmux,
    cwd,
    [Symbol.dispose]() {
      tmux.end();
      if (given === undefined) rmSync(cwd, { recursive: true, force: true });
    },
  };
}
