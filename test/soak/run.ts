/** `npm run soak`: a bridge under load for a long time, with every fault. docs/performance.md says what it asserts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Soak } from './soak.ts';

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    streams: { type: 'string', default: '2000' },
    seed: { type: 'string' },
  },
});
const minutes = Number(flags.minutes);
const streams = Number(flags.streams);
const seed = flags.seed === undefined ? Date.now() % 1_000_000 : Number(flags.seed);
if (!(minutes > 0) || !(streams >= 1) || !Number.isSafeInteger(seed))
  throw new Error('--minutes, --streams and --seed want numbers');

/** Beyond its time, for the two times in which it waits until all is quiet, and to start and end. */
const GRACE_MS = 700_000;

const soak = new Soak({ ms: minutes * 60_000, streams, seed });
const hangs = sleep(minutes * 60_000 + GRACE_MS, ['the soak itself hangs']);
const result = await Promise.race([soak.run(), hangs]);
console.log(result.length === 0 ? `all is well (seed ${seed})` : `${result.length} problems (seed ${seed})`);
process.exit(result.length === 0 ? 0 : 1);
