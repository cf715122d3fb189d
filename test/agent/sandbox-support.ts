import { tmpdir } from 'node:os';
import { openSandbox } from '../../packages/agent/src/index.ts';

/** Skips the test where the system has no sandbox, and says why. */
export async function needSandbox(skip: (note: string) => void): Promise<void> {
  const { works, problem } = await openSandbox({ cwd: tmpdir(), env: { PATH: process.env.PATH } });
  if (!works) skip(`no sandbox here: ${problem ?? 'it is off'} (Debian: apt-get install bubblewrap)`);
}
