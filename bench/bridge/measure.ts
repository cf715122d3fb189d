/** One server under one load, in front of an upstream of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadOptions, Measured } from './load.ts';
import { forkServer, stop } from './process.ts';
import type { Contender } from './servers.ts';

export interface Row extends Measured {
  /** Streams that the upstream still served a second after all clients had gone. */
  readonly left: number;
}

export async function measureLoad(
  server: Contender,
  { kind, streams }: Pick<LoadOptions, 'kind' | 'streams'>,
): Promise<Row> {
  const upstream = await forkServer('upstream.ts', []);
  const serving = (await server.start?.(upstream.port)) ?? upstream;
  const options: LoadOptions = {
    kind,
    streams,
    port: serving.port,
    pid: serving.pid,
    path: server.path,
    headers: server.headers?.(upstream.port) ?? {},
  };
  const load = fork(new URL('load.ts', import.meta.url), [JSON.stringify(options)]);
  const exit = once(load, 'exit');
  const [measured] = (await Promise.race([once(load, 'message'), exit.then(() => [undefined])])) as [Measured?];
  if (measured === undefined) throw new Error(`${server.name} could not be measured`);
  await exit;
  const left = await openAfterASecond(upstream.port);
  if (serving !== upstream) await stop(serving);
  await stop(upstream);
  return { ...measured, left };
}

async function openAfterASecond(port: number): Promise<number> {
  await sleep(1000);
  const { open } = (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { open: number };
  return open;
}
