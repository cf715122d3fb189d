import { join } from 'node:path';
import { claim, describeHolder } from '../process/claim.ts';
import { ThreadError } from './thread-error.ts';

/**
 * Makes this process the one that goes on with a thread, until the function that it answers is called.
 *
 * @throws ThreadError when another process goes on with it; otherwise the system's error
 */
export async function claimThread(folder: string, id: string): Promise<() => void> {
  // One file may have its name in other letters, on Windows and macOS.
  const answer = await claim(join(folder, 'locks'), id.toLowerCase());
  if (answer.type === 'held') return answer.release;
  throw new ThreadError(
    `the thread ${id} is open in another turnwire (${describeHolder(answer.by)}): end that one first, or start a new thread; if it does not run any more, delete ${answer.path}`,
    'in_use',
  );
}
