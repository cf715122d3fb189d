/** The ways that a delta of a chat answer takes through turnwire, one delta at a time: see `calls-per-delta.ts`. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createBridge } from '../packages/bridge/src/index.ts';
import { systemClock } from '../packages/client/src/platform/system-clock.ts';
import { createDecoder } from '../packages/wire/src/index.ts';
import { openChatBackend } from '../turnwire/src/cli/chat-backend.ts';
import { CountingTerminal } from '../test/terminal/counting-terminal.ts';
import { ChatApp } from '../turnwire/src/terminal/index.ts';

const FINISH = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`;

function delta(n: number): Buffer {
  const choice = { index: 0, delta: { content: ` word ${n}` }, finish_reason: null };
  const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [choice] };
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
}

async function listening(): Promise<Server> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function urlOf(server: Server): string {
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

/** The answer to the next request, a stream of which nothing was written yet. */
async function answering(server: Server): Promise<ServerResponse> {
  const [req, res] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  req.resume();
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  return res;
}

/** `step` takes one delta all the way. */
interface OpenedRoute {
  readonly step: (n: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** One way that a delta takes. */
export interface Route {
  readonly name: string;
  open(): Promise<OpenedRoute>;
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
    const upstream = await listening();
    const server = createBridge({ upstreams: [urlOf(upstream)], wire: 'chat', port: 0 });
    await server.listen();
    const asked = answering(upstream);
    const call = request(`${server.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    call.end(JSON.stringify({ model: 'm', input: 'hi', stream: true }));
    const res = await asked;
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

const nothing = (): void => undefined;

/** A terminal that says when something was written. */
class SilentTerminal extends CountingTerminal {
  #written = Promise.withResolvers<undefined>();

  override write(data: string): void {
    super.write(data);
    this.#written.resolve(undefined);
  }

  /** Resolves at the next write. */
  async written(): Promise<void> {
    this.#written = Promise.withResolvers<undefined>();
    await this.#written.promise;
  }
}

/** Not while deltas are counted: each look is a call, too. */
async function idle(app: ChatApp): Promise<void> {
  while (app.isBusy) await setImmediate();
}

/** What `turnwire chat` puts together, before a chat server. Each delta is drawn in a frame of its own. */
const terminal: Route = {
  name: 'chat server -> client -> agent -> terminal frame',
  open: async () => {
    const home = await mkdtemp(join(tmpdir(), 'turnwire-calls-'));
    const upstream = await listening();
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const backend = await openChatBackend({
      cli: { args: [], env: {}, cwd: home, home, stdin, stdout, stderr, onSignal: () => nothing },
      name: 'bench',
      flags: { baseUrl: urlOf(upstream), wire: 'chat', model: 'm', tools: 'none', approve: 'never', maxRequests: 1 },
      instructions: undefined,
    });
    const screen = new SilentTerminal(100, 40);
    const app = new ChatApp({ terminal: screen, backend, clock: systemClock, colour: true });
    const ended = app.run();
    await idle(app);
    const asked = answering(upstream);
    screen.press('hi');
    screen.press('\r');
    const res = await asked;
    return {
      step: async (n) => {
        const drawn = screen.written();
        res.write(delta(n));
        await drawn;
      },
      close: async () => {
        res.end(FINISH);
        await idle(app);
        app.leave('done');
        await ended;
        await backend.close();
        upstream.close();
        await rm(home, { recursive: true });
      },
    };
  },
};

export const routes: readonly Route[] = [decode, bridge, terminal];
