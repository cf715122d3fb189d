/**
 * How many calls of turnwire's own functions one delta of a chat answer costs, and in how many files they are. V8 counts
 * them: the figures are exact, and the same on every machine. Each delta is a chunk of its own, as from a model.
 *
 *   npm run bench:calls             # the figures
 *   npm run bench:calls -- --list   # and every function that is called
 */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { Session } from 'node:inspector/promises';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createBridge } from '../packages/bridge/src/index.ts';
import { createDecoder } from '../packages/wire/src/index.ts';

const DELTAS = 1000;
const WARM_UP = 50;
const root = fileURLToPath(new URL('..', import.meta.url));

const FINISH = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`;

function delta(n: number): Buffer {
  const choice = { index: 0, delta: { content: ` word ${n}` }, finish_reason: null };
  const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [choice] };
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
}

interface Called {
  readonly file: string;
  readonly name: string;
  /** Calls per delta. */
  readonly calls: number;
}

/** `step` takes one delta all the way. */
interface Opened {
  readonly step: (n: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** One way that a delta takes. */
interface Route {
  readonly name: string;
  open(): Promise<Opened>;
}

const decode: Route = {
  name: 'decode',
  open: () => {
    const decoder = createDecoder('chat', { usageAsked: true });
    return Promise.resolve({
      step: (n) => {
        decoder.push(delta(n));
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    });
  },
};

/** A chat server behind the bridge, a client of the Responses API before it, both of Node alone. */
const bridge: Route = {
  name: 'chat server -> bridge -> Responses client',
  open: async () => {
    const upstream = createServer();
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const { port } = upstream.address() as AddressInfo;
    const server = createBridge({ upstreams: [`http://127.0.0.1:${port}`], wire: 'chat', port: 0 });
    await server.listen();
    const asked = once(upstream, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    const call = request(`${server.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    call.end(JSON.stringify({ model: 'm', input: 'hi', stream: true }));
    const [req, res] = await asked;
    req.resume();
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(delta(0));
    const [answer] = await answered;
    return {
      step: async (n) => {
        const arrived = once(answer, 'data');
        res.write(delta(n));
        await arrived;
      },
      close: async () => {
        answer.resume();
        const ended = once(answer, 'end');
        res.end(FINISH);
        await ended;
        await server.close();
        upstream.close();
      },
    };
  },
};

async function calledOn(route: Route, session: Session): Promise<readonly Called[]> {
  const { step, close } = await route.open();
  for (let n = 0; n < WARM_UP; n++) await step(n);
  await session.post('Profiler.takePreciseCoverage'); // begins to count anew
  for (let n = 0; n < DELTAS; n++) await step(n);
  const { result } = await session.post('Profiler.takePreciseCoverage');
  await close();
  return result
    .map(({ url, functions }) => ({ file: url.startsWith('file:') ? fileURLToPath(url) : url, functions }))
    .filter(({ file }) => file.startsWith(root) && !file.includes('/node_modules/') && !file.includes('/bench/'))
    .flatMap(({ file, functions }) =>
      functions.map(({ functionName, ranges }) => ({
        file: file.slice(root.length),
        name: functionName === '' ? '(anonymous)' : functionName,
        calls: (ranges[0]?.count ?? 0) / DELTAS,
      })),
    )
    .filter(({ calls }) => calls >= 0.5);
}

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
for (const route of [decode, bridge]) {
  const called = await calledOn(route, session);
  const calls = called.reduce((sum, one) => sum + one.calls, 0);
  const files = new Set(called.map(({ file }) => file));
  console.log(`${route.name}: ${calls.toFixed(0)} calls, ${called.length} functions, ${files.size} files`);
  if (!process.argv.includes('--list')) continue;
  for (const { file, name, calls: n } of called) console.log(`  ${n.toFixed(1).padStart(5)}  ${file}  ${name}`);
}
session.disconnect();
