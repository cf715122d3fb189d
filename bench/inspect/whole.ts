/** Bridges that are asked in turns by one client: what an event costs each, of one that a model server sends in time. */
import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuUs, forkServer, stop, type Served } from '../bridge/process.ts';

const STREAMS = 50;
const EVENTS = 200;
/** Each stream gets an event so often: about 6,000 events a second in all. */
const TICK_MS = 8;

const fields = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' };
const chunk = (delta: object, finish: string | null) =>
  Buffer.from(`data: ${JSON.stringify({ ...fields, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`);
const word = chunk({ content: ' token' }, null);
const last = Buffer.concat([chunk({}, 'stop'), Buffer.from('data: [DONE]\n\n')]);

/** Answers each request with so many events, one each tick. */
const upstream = createServer((req, res) => {
  req.resume();
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  let left = EVENTS;
  const timer = setInterval(() => {
    if (left-- > 0) res.write(word);
    else {
      clearInterval(timer);
      res.end(last);
    }
  }, TICK_MS);
});
const agent = new Agent({ maxSockets: Infinity, keepAlive: true });
const body = JSON.stringify({ model: 'm', input: 'x', stream: true });

async function ask(port: number): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const req = request({ agent, port, host: '127.0.0.1', method: 'POST', path: '/v1/responses', headers });
  req.end(body);
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  if (res.statusCode !== 200) throw new Error(`status ${res.statusCode}`);
  res.resume();
  await once(res, 'end');
}

/** Microseconds of processor time of all threads of the bridge, for each event of some answers. */
async function turn({ pid, port }: Served): Promise<number> {
  const before = cpuUs(pid);
  await Promise.all(Array.from({ length: STREAMS }, () => ask(port)));
  await sleep(50); // what is done behind the end is part of it
  return (cpuUs(pid) - before) / (STREAMS * EVENTS);
}

export interface Bridges {
  readonly turns: readonly (() => Promise<number>)[];
  close(): Promise<void>;
}

/** @param kinds - of `bridge/serve.ts`, a process each */
export async function openBridges(kinds: readonly string[]): Promise<Bridges> {
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  const all = await Promise.all(kinds.map((kind) => forkServer('serve.ts', [kind, String(port)])));
  return {
    turns: all.map((one) => () => turn(one)),
    close: async () => {
      await Promise.all(all.map(stop));
      agent.destroy();
      upstream.close();
    },
  };
}
