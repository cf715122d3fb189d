/**
 * Every cell of one SDK, in a process that run.ts forks: the arguments are the SDK and an {@link Asked} as JSON, the messages are what a
 * {@link Result} is, with the number of cells before the first one. What an SDK prints is no message.
 */
import { startMock } from '@turnwire/testing';
import { healing } from '@turnwire/wire/fetch';
import { runCell, type Client } from '../../test/fetch/cell.ts';
import { clean, scripts } from '../../test/mock/fault-row.ts';
import { faultsOf, isDue, sdks, wireOf, type Fault, type Result } from './matrix.ts';

/** What is asked of this process. */
export interface Asked {
  /** Names; absent: every fault. */
  readonly faults?: readonly string[] | undefined;
  /** Without the line, with it, or both. */
  readonly halves: readonly boolean[];
}

/** As many wait at once; the work of each is small. */
const AT_ONCE = 8;
/** What an SDK has not done by then, it never does: its retries take up to seven seconds. */
const DEADLINE_MS = 12_000;
/** One that waited too long is asked again, beside few others, and gets more time: a machine may be busy. */
const PATIENT_MS = 4 * DEADLINE_MS;
/** The work of an SDK that looks at a line again with every chunk grows with its square, and lets nobody beside it run. */
const HEAVY = 'endless-line';
/** What the line is told here, so that nobody waits for five minutes. */
const line = { idleTimeoutMs: 2000 };

interface Cell {
  readonly client: string;
  readonly ask: Client;
  readonly fault: Fault;
  readonly healed: boolean;
}

const [sdk = '', asked = ''] = process.argv.slice(2);
// Promises that an SDK leaves behind are no answer of it: its caller reads the stream.
process.on('unhandledRejection', () => undefined);
const say = (value: Result | { readonly total: number }): boolean => process.send?.(value) ?? false;

const { clients } = (await import(`./sdks/${sdk}.mjs`)) as { clients: Readonly<Record<string, Client>> };
const cells = cellsOf(clients, JSON.parse(asked) as Asked);
say({ total: cells.length });
const again: Cell[] = [];
const isHeavy = ({ fault }: Cell): boolean => fault.name === HEAVY;
await each(
  cells.filter((cell) => !isHeavy(cell)),
  AT_ONCE,
  async (cell) => {
    const result = await run(cell, DEADLINE_MS);
    if (result.verdict === 'stalled' || (cell.healed && !isDue(result))) again.push(cell);
    else say(result);
  },
);
await each(cells.filter(isHeavy), 1, async (cell) => say(await run(cell, PATIENT_MS)));
// Those without the line only wait. With it, a miss has to show on a machine that does nothing else.
await each(again, AT_ONCE, async (cell) => cell.healed || say(await run(cell, PATIENT_MS)));
await each(again, 1, async (cell) => !cell.healed || say(await run(cell, PATIENT_MS)));
// Sockets that an SDK still holds would keep the process.
process.disconnect();
process.exit(0);

function cellsOf(known: Readonly<Record<string, Client>>, { faults, halves }: Asked): readonly Cell[] {
  return Object.entries(known).flatMap(([client, ask]) => {
    const wire = wireOf(client);
    const own = wire === undefined ? [] : faultsOf(wire).filter(({ name }) => faults?.includes(name) ?? true);
    return own.flatMap((fault) => halves.map((healed) => ({ client, ask, fault, healed })));
  });
}

async function run({ client, ask, fault, healed }: Cell, deadlineMs: number): Promise<Result> {
  const [script, whole] = [scripts[fault.script], clean[fault.script]];
  if (script === undefined || whole === undefined) throw new Error(`no script ${fault.script}`);
  const server = await startMock({ faults: [fault.text], scenario: script });
  const options = {
    clean: { ...whole, ...fault.differs },
    deadlineMs,
    ...(healed && { fetch: healing({ ...line, ...sdks[sdk]?.line }) }),
  };
  const { verdict, outcome, error } = await runCell(ask, server, options);
  await server.close();
  const detail = verdict === 'told' ? String(error) : JSON.stringify(outcome);
  return { sdk, client, fault: fault.name, healed, verdict, detail: verdict === 'ok' ? '' : detail.slice(0, 300) };
}

async function each<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
