import type { IncomingMessage } from 'node:http';
import { rawResponse } from '@turnwire/client/internal/platform/raw-response';
import type { Duplex } from 'node:stream';
import type { ClientRequest } from 'node:http';
import type { RawData, WebSocket, WebSocketServer } from 'ws';
import { timestamp } from '@turnwire/client/internal/platform/wall-time';
import type { HeaderList, TapedEnd } from './tape.ts';
import { codeOf, passedHeaders, upstreamTarget } from './proxy.ts';
import type { RecordContext } from './record-http.ts';
import { TapeWriter } from './writer.ts';

/** Bytes waiting for one side at which the other is not read any more. */
const HIGH_WATER = 1024 * 1024;

/** Bound of one message, and of the body of a refused handshake. */
const MESSAGE_LIMIT = 64 * 1024 * 1024;

/** One WebSocket on its way through the recorder: messages and pings; fragments are put together. */
export class RecordedWebSocket {
  readonly #context: RecordContext;
  readonly #req: IncomingMessage;
  readonly #socket: Duplex;
  readonly #head: Buffer;
  readonly #finished: Promise<void>;
  #finish: () => void = () => undefined;
  #over = false;
  #client: WebSocket | undefined;
  #upstream: WebSocket | undefined;

  constructor(context: RecordContext, req: IncomingMessage, socket: Duplex, head: Buffer) {
    this.#context = context;
    this.#req = req;
    this.#socket = socket;
    this.#head = head;
    this.#finished = new Promise((resolve) => (this.#finish = resolve));
  }

  /** Ends when both sides are closed. */
  async run(): Promise<void> {
    const { closing } = this.#context;
    const tape = new TapeWriter(this.#context.folder, this.#request(), 'websocket', this.#context);
    const onLeft = (): void => {
      if (this.#client === undefined) this.#settle(tape, { how: closing.aborted ? 'stopped' : 'client-left' });
    };
    const onStop = (): void => {
      this.#settle(tape, { how: 'stopped' });
      this.#socket.destroy();
    };
    this.#socket.on('error', () => undefined); // told by 'close'
    this.#socket.once('close', onLeft);
    // The server keeps half-open connections: until the handshake is answered, an end means that the client has left.
    this.#socket.once('end', () => {
      if (this.#client === undefined) this.#socket.destroy();
    });
    closing.addEventListener('abort', onStop, { once: true });
    try {
      await this.#connect(tape);
      await this.#finished;
    } catch (error) {
      // An address or a protocol that no handshake can be made of.
      this.#settle(tape, { how: 'failed', error: codeOf(error) });
    } finally {
      this.#socket.off('close', onLeft);
      closing.removeEventListener('abort', onStop);
    }
  }

  async #connect(tape: TapeWriter): Promise<void> {
    const { WebSocket: Client, WebSocketServer: Server } = await import('ws');
    if (this.#over) return;
    const { upstream } = this.#context;
    const url = new URL(upstreamTarget(upstream, this.#req.url ?? '/'), upstream);
    url.protocol = upstream.protocol === 'https:' ? 'wss:' : 'ws:';
    const headers = Object.fromEntries(passedHeaders(this.#req).filter(([name]) => !/^sec-websocket-/i.test(name)));
    const options = { headers, perMessageDeflate: false, maxPayload: MESSAGE_LIMIT };
    const remote = new Client(url, this.#protocols(), options);
    this.#upstream = remote;
    let answer: HeaderList = [];
    remote.once('upgrade', (response) => {
      answer = passedHeaders(response).filter(([name]) => !/^sec-websocket-/i.test(name));
      tape.response(101, response.statusMessage ?? '', answer);
    });
    remote.once('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
      void this.#refused(response, tape).finally(() => request.destroy());
    });
    remote.once('open', () => this.#open(new Server({ noServer: true, perMessageDeflate: false }), answer, tape));
    this.#listen(remote, 'server', tape);
    remote.on('error', (error) => {
      if (this.#client === undefined) this.#settle(tape, { how: 'failed', error: codeOf(error) });
    });
    remote.once('close', (code, reason) => this.#serverClosed(code, reason.toString('utf8'), tape));
  }

  #open(server: WebSocketServer, answer: HeaderList, tape: TapeWriter): void {
    server.on('headers', (lines) => lines.push(...answer.map(([name, value]) => `${name}: ${value}`)));
    server.handleUpgrade(this.#req, this.#socket, this.#head, (client) => {
      this.#client = client;
      this.#listen(client, 'client', tape);
      client.on('error', () => undefined); // told by 'close'
      client.once('close', (code, reason) => {
        this.#settle(tape, { how: 'client-left', code, reason: reason.toString('utf8') });
      });
    });
  }

  /** Messages of one side: on the tape first, then to the other side, at that side's pace. */
  #listen(from: WebSocket, name: 'client' | 'server', tape: TapeWriter): void {
    from.on('message', (raw: RawData, isBinary: boolean) => {
      const data = raw as Buffer; // `binaryType` is left at its default
      tape.message({ from: name, kind: 'message', data: isBinary ? data : data.toString('utf8') });
      this.#pass(from, name === 'server' ? this.#client : this.#upstream, data, isBinary);
    });
    from.on('ping', (data: Buffer) => {
      if (name !== 'server') return;
      tape.message({ from: name, kind: 'ping', data: data.toString('utf8') });
      this.#client?.ping(data);
    });
  }

  #pass(from: WebSocket, to: WebSocket | undefined, data: Buffer, binary: boolean): void {
    if (to?.readyState !== 1) return;
    const full = to.bufferedAmount > HIGH_WATER;
    if (full) from.pause();
    to.send(data, { binary }, () => {
      if (full) from.resume();
    });
  }

  #serverClosed(code: number, reason: string, tape: TapeWriter): void {
    const client = this.#client;
    if (code === 1006) {
      this.#settle(tape, { how: 'cut' });
      client?.terminate();
      if (client === undefined) this.#socket.destroy();
      return;
    }
    this.#settle(tape, { how: 'complete', code, reason });
    if (code === 1005) client?.close();
    else client?.close(code, reason);
  }

  /** The upstream answers the handshake with an ordinary response. */
  async #refused(response: IncomingMessage, tape: TapeWriter): Promise<void> {
    const headers = passedHeaders(response);
    tape.response(response.statusCode ?? 0, response.statusMessage ?? '', headers);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        tape.message({ from: 'server', kind: 'message', data: chunk });
        chunks.push(chunk);
      }
    } catch {
      this.#settle(tape, { how: 'cut' });
      this.#socket.destroy();
      return;
    }
    const status = response.statusCode ?? 502;
    this.#settle(tape, { how: 'complete' });
    this.#socket.end(rawResponse(status, headers, Buffer.concat(chunks)));
  }

  #settle(tape: TapeWriter, end: Omit<TapedEnd, 'ms'>): void {
    if (this.#over) return;
    this.#over = true;
    tape.end(end);
    if (end.how === 'failed') {
      this.#context.onProblem(`${tape.file}: no WebSocket to the upstream: ${end.error ?? ''}`);
      this.#socket.destroy();
    }
    if (end.how === 'client-left' || end.how === 'stopped') this.#upstream?.terminate();
    this.#finish();
  }

  #protocols(): string[] {
    const asked = this.#req.headers['sec-websocket-protocol'];
    return asked === undefined ? [] : asked.split(',').map((name) => name.trim());
  }

  #request() {
    return {
      at: timestamp(),
      method: this.#req.method ?? 'GET',
      target: this.#req.url ?? '/',
      headers: passedHeaders(this.#req).filter(([name]) => !/^sec-websocket-(key|version|extensions)$/i.test(name)),
      body: new Uint8Array(),
    };
  }
}
