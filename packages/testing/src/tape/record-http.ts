import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { timestamp } from '@turnwire/client/internal/platform/wall-time';
import type { TapeEnding, TapedRequest } from './tape.ts';
import { BODY_LIMIT, readBody } from '../server/read-body.ts';
import { codeOf, flatHeaders, passedHeaders, upstreamTarget } from './proxy.ts';
import type { UpstreamAgents } from './upstream.ts';
import { TapeWriter, type TapeFolder } from './writer.ts';

/** What all exchanges of one recorder share. */
export interface RecordContext {
  readonly upstream: URL;
  readonly agents: UpstreamAgents;
  readonly folder: TapeFolder;
  readonly clock: Clock;
  readonly onProblem: (message: string) => void;
  readonly closing: AbortSignal;
}

/** One HTTP exchange on its way through the recorder. */
export class RecordedHttp {
  readonly #context: RecordContext;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #finished: Promise<void>;
  #finish: () => void = () => undefined;
  #over = false;
  #outgoing: ClientRequest | undefined;
  /** Set by the upstream's socket: a reset looks like any other broken connection to the HTTP parser. */
  #socketError: unknown;

  constructor(context: RecordContext, req: IncomingMessage, res: ServerResponse) {
    this.#context = context;
    this.#req = req;
    this.#res = res;
    this.#finished = new Promise((resolve) => (this.#finish = resolve));
  }

  /** Ends when the exchange did, whoever ended it. */
  async run(): Promise<void> {
    const body = await readBody(this.#req, BODY_LIMIT);
    if (body === undefined) {
      this.#res.writeHead(413, { connection: 'close' }).end();
      return;
    }
    const request = toTapedRequest(this.#req, body);
    const tape = new TapeWriter(this.#context.folder, request, 'http', this.#context);
    const { closing } = this.#context;
    const onLeft = (): void => this.#abandon(tape, closing.aborted ? 'stopped' : 'client-left');
    const onStop = (): void => this.#abandon(tape, 'stopped');
    this.#res.on('error', () => undefined); // told by 'close'
    this.#res.once('close', onLeft);
    closing.addEventListener('abort', onStop, { once: true });
    try {
      if (this.#res.destroyed) onLeft();
      else if (closing.aborted) onStop();
      else this.#send(request, tape, 1);
      await this.#finished;
    } finally {
      this.#res.off('close', onLeft);
      closing.removeEventListener('abort', onStop);
    }
  }

  #send(request: TapedRequest, tape: TapeWriter, attempt: number): void {
    const { upstream, agents } = this.#context;
    const headers = [['Host', upstream.host] as const, ...request.headers];
    const path = upstreamTarget(upstream, request.target);
    const outgoing = agents.request(upstream, { method: request.method, path, headers: flatHeaders(headers) });
    this.#outgoing = outgoing;
    outgoing.once('socket', (socket) => socket.once('error', (error) => (this.#socketError = error)));
    outgoing.once('response', (incoming) => this.#answer(incoming, tape));
    outgoing.once('error', (error) => {
      // A kept connection that the upstream had closed already: nobody saw the request.
      if (outgoing.reusedSocket && attempt === 1 && !this.#res.headersSent && !this.#over) {
        this.#send(request, tape, 2);
        return;
      }
      this.#failed(error, tape);
    });
    outgoing.end(request.body);
  }

  /** The answer's head and body, at the pace of the slower of the two sides. */
  #answer(incoming: IncomingMessage, tape: TapeWriter): void {
    const res = this.#res;
    const headers = passedHeaders(incoming);
    tape.response(incoming.statusCode ?? 0, incoming.statusMessage ?? '', headers);
    res.sendDate = false;
    res.writeHead(incoming.statusCode ?? 502, incoming.statusMessage ?? '', flatHeaders(headers));
    res.flushHeaders();
    incoming.on('data', (chunk: Buffer) => {
      if (this.#over) return;
      tape.chunk(chunk);
      if (res.write(chunk)) return;
      incoming.pause();
      res.once('drain', () => incoming.resume());
    });
    incoming.once('end', () => this.#settle(tape, 'complete', () => res.end()));
    incoming.on('error', () => undefined); // told by 'close'
    incoming.once('close', () => {
      if (incoming.complete) return;
      if (codeOf(this.#socketError) === 'ECONNRESET') this.#settle(tape, 'reset', () => breakOff(res, 'reset'));
      else this.#settle(tape, 'cut', () => breakOff(res, 'cut'));
    });
  }

  /** No answer came: the client sees what would have happened to it without us. */
  #failed(error: Error, tape: TapeWriter): void {
    if (this.#res.headersSent) return; // told by the answer
    if (this.#over) return;
    this.#over = true;
    tape.end({ how: 'failed', error: codeOf(error) });
    this.#context.onProblem(`${tape.file}: no answer from the upstream: ${codeOf(error)}`);
    this.#res.socket?.destroy();
    this.#finish();
  }

  /** The client, or the recorder's owner, wants no more. */
  #abandon(tape: TapeWriter, how: TapeEnding): void {
    this.#settle(tape, how, () => undefined);
    this.#outgoing?.destroy();
  }

  #settle(tape: TapeWriter, how: TapeEnding, then: () => void): void {
    if (this.#over) return;
    this.#over = true;
    tape.end({ how });
    then();
    this.#finish();
  }
}

/** Ends an answer in its middle, once what was written has left. */
export function breakOff(res: ServerResponse, how: 'cut' | 'reset'): void {
  const { socket } = res;
  if (socket === null) return;
  if (how === 'cut') {
    socket.destroySoon();
    return;
  }
  // A reset overtakes bytes that are still in a buffer of ours.
  if (socket.writableLength === 0) socket.resetAndDestroy();
  else socket.once('drain', () => socket.resetAndDestroy());
}

function toTapedRequest(req: IncomingMessage, body: Uint8Array): TapedRequest {
  const headers = passedHeaders(req).filter(([name]) => !/^content-length$/i.test(name));
  const length = body.length > 0 || req.headers['content-length'] !== undefined;
  return {
    at: timestamp(),
    method: req.method ?? 'GET',
    target: req.url ?? '/',
    headers: length ? [...headers, ['Content-Length', String(body.length)]] : headers,
    body,
  };
}
