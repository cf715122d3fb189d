import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

/**
 * Settles when the sockets of this process have read what was sent to them: a while, and some turns of the event loop behind it. A
 * process that was held up fires its timers first, and reads what came meanwhile afterwards.
 */
export async function socketsAreQuiet(): Promise<void> {
  await sleep(30);
  for (let turns = 0; turns < 10; turns++) await turn();
}
