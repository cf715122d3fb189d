import { spawn } from 'node:child_process';

/**
 * Shows a text in the person's pager, on the terminal that this process has, until they leave it.
 *
 * @param command - a line for the shell, as `PAGER` has it
 * @throws Error with one line when the pager cannot be run
 */
export async function page(text: string, command: string): Promise<void> {
  const pager = spawn(command, { shell: true, stdio: ['pipe', 'inherit', 'inherit'] });
  // Who leaves the pager before its end closes the pipe.
  pager.stdin.on('error', () => undefined);
  pager.stdin.end(text.endsWith('\n') ? text : `${text}\n`);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  pager.once('error', reject);
  pager.once('close', resolve);
  const code = await promise;
  // 126 and 127: what shells say of a command that cannot be run (POSIX 2.8.2).
  if (code === 126 || code === 127) throw new Error(`the pager ${JSON.stringify(command)} cannot be run: set PAGER`);
}
