import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { runProgram, withFolders, type ClientFolders, type Ended } from './run-program.ts';

const MAIN = join(import.meta.dirname, '..', 'turnwire', 'src', 'cli', 'main.ts');

export interface TurnwireRunOptions {
  /** The name in `turnwire run NAME`. */
  readonly client: string;
  /** How to start the client's program, in words. */
  readonly program: readonly string[];
  /** Of turnwire. */
  readonly flags: readonly string[];
  /** The client's own arguments. */
  readonly args: readonly string[];
  /** Leaves out the `--` between both. Default false. */
  readonly isClear?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/**
 * Runs `turnwire run` with a real client, found in `PATH` by its name, in a folder and with a home of its own.
 *
 * @param prepare - fills the home before
 */
export async function turnwireRun<T>(
  options: TurnwireRunOptions,
  look: (run: Ended & ClientFolders) => Promise<T> | T,
  prepare: (folders: ClientFolders) => Promise<void> = () => Promise.resolve(),
): Promise<T> {
  return withFolders(`run-${options.client}`, async (folders) => {
    const bin = join(dirname(folders.home), 'bin');
    await mkdir(bin);
    const words = options.program.map((word) => `'${word}'`).join(' ');
    await writeFile(join(bin, options.client), `#!/bin/sh\nexec ${words} "$@"\n`);
    await chmod(join(bin, options.client), 0o755);
    await prepare(folders);
    const ended = await runProgram({
      command: process.execPath,
      args: [
        MAIN,
        'run',
        options.client,
        ...options.flags,
        ...(options.isClear === true ? [] : ['--']),
        ...options.args,
      ],
      cwd: folders.folder,
      env: { HOME: folders.home, NO_COLOR: '1', ...options.env, PATH: [bin, process.env.PATH].join(delimiter) },
      timeoutMs: options.timeoutMs,
    });
    return look({ ...ended, ...folders });
  });
}

/** What a failed run said, for whoever reads the test's output. */
export function explainRun({ code, stdout, stderr }: Ended): string {
  return `turnwire run ended with ${code}\n${stderr}\n${stdout}`;
}
