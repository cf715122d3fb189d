import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBridge, type Bridge, type BridgeOptions } from '../../packages/bridge/src/index.ts';

/** An upstream that a test plays by hand, byte for byte. */
export interface RawUpstream extends AsyncDisposable {
  readonly url: string;
  /** Model requests that are open now. */
  readonly open: number;
  /** The next model request, its body read. */
  next(): Promise<RawExchange>;
  close(): Promise<void>;
}

export interface RawExchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly body: Record<string, unknown>;
  /** Settles when the connection is gone before the answer was complete. */
  readonly left: Promise<void>;
}

/** @param onOther - is told of requests that are no `POST`; they are answered with `{}` */
export async function startRawUpstream(
  port = 0,
  onOther: (request: IncomingMessage) => void = () => undefined,
): Promise<RawUpstream> {
  const waiting: ((exchange: RawExchange) => void)[] = [];
  const arrived: RawExchange[] = [];
  let open = 0;
  const server: Server = createServer((req, res) => {
    if (req.method !== 'POST') {
      onOther(req);
      res.end('{}');
      return;
    }
    open++;
    res.once('close', () => open--);
    res.on('error', () => undefined);
    void readBody(req).then((text) => {
      const left = new Promise<void>((resolve) => res.once('close', () => res.writableFinished || resolve()));
      const exchange = { req, res, body: JSON.parse(text) as Record<string, unknown>, left };
      const taker = waiting.shift();
      if (taker === undefined) arrived.push(exchange);
      else taker(exchange);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    get open() {
      return open;
    },
    next: () => {
      const exchange = arrived.shift();
      return exchange === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(exchange);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A bridge in front of them that asks once, and stops at once. */
export async function startBridge(
  upstreams: readonly Pick<RawUpstream, 'url'>[],
  options: Partial<BridgeOptions> = {},
): Promise<Bridge> {
  const bridge = createBridge({
    upstreams: upstreams.map((one) => one.url),
    wire: 'chat',
    port: 0,
    requestMaxRetries: 0,
    drainTimeoutMs: 0,
    ...options,
  });
  await bridge.listen();
  return bridge;
}

async function readBody(req: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of req) text += String(chunk);
  return text;
}

/** A chat chunk with some text. */
export function chatChunk(content: string): string {
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] })}\n\n`;
}

/** The end of a chat answer. */
export const chatEnd = `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`;
