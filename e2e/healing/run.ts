/**
 * Every fault of the mock for every SDK, without and with the healing `fetch`: `npm run e2e:healing -- --help`. A run of all cells writes
 * the tables of docs/healing.md. The last line is `N passed, N failed`: the cells with the line.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sourceFlags } from '../../scripts/packages.ts';
import type { Asked } from './cells.ts';
import { isDue, sdks, shortList, type Result } from './matrix.ts';
import { summary, writeTables } from './tables.ts';

const usage = `Usage: npm run e2e:healing -- [--short] [--sdk NAME]… [--fault NAME]… [--json]

  --short       some faults of each family, with the line only: for CI
  --sdk NAME    one of ${Object.keys(sdks).join(', ')}
  --fault NAME  a fault of the mock (turnwire mock --faults)
  --json        a line of JSON per cell on stdout, and everything else on stderr

Example: npm run e2e:healing -- --sdk openai-7 --fault stall-after --json
`;
/** As many SDKs at once, each in a process of its own. */
const AT_ONCE = 2;

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    sdk: { type: 'string', multiple: true, default: Object.keys(sdks) },
    fault: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const out = (text: string): boolean => (values.json ? process.stderr : process.stdout).write(text);
const results: Result[] = [];

if (values.help) process.stdout.write(usage);
else await main();

async function main(): Promise<void> {
  const faults = values.fault ?? (values.short ? shortList : undefined);
  const asked: Asked = { faults, halves: values.short ? [true] : [false, true] };
  const names = values.sdk.values();
  const worker = async (): Promise<void> => {
    for (const name of names) await runSdk(name, asked);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  out(`\n${summary(results)}\n`);
  const healed = results.filter((result) => result.healed);
  const misses = healed.filter((result) => !isDue(result));
  for (const { sdk, client, fault, verdict, detail } of misses)
    out(`MISSED  ${sdk} ${client}, ${fault}: ${verdict}: ${detail}\n`);
  if (faults === undefined && values.sdk.length === Object.keys(sdks).length) await writeTables(results);
  out(`${healed.length - misses.length} passed, ${misses.length} failed\n`);
  if (misses.length > 0 || healed.length === 0) process.exitCode = 1;
}

async function runSdk(sdk: string, asked: Asked): Promise<void> {
  if (!(sdk in sdks)) throw new Error(`no SDK ${sdk}: ${Object.keys(sdks).join(', ')}`);
  const child = fork(join(import.meta.dirname, 'cells.ts'), [sdk, JSON.stringify(asked)], {
    execArgv: [...sourceFlags],
    // What SDKs print about faults is no news here.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let total: number | undefined;
  let done = 0;
  child.on('message', (message: Result | { readonly total: number }) => {
    if ('total' in message) {
      total = message.total;
      return;
    }
    results.push(message);
    if (values.json) process.stdout.write(`${JSON.stringify(message)}\n`);
    if (++done % 100 === 0) out(`${sdk}: ${done} of ${total ?? 0}\n`);
  });
  const code = await new Promise<unknown>((resolve) =>
    child.once('close', (status, signal) => resolve(status ?? signal)),
  );
  if (code !== 0 || done !== total)
    throw new Error(`${sdk} ended with ${String(code)} after ${done} cells of ${total ?? 0}`);
  out(`${sdk}: ${done} cells\n`);
}
