import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExchangeRecord, ExchangeRow, ListMessage, RecordsMessage } from '@turnwire/bridge/internal/inspect/api';
import { pageFiles } from '@turnwire/inspector';

/** As the bridge serves it (docs/bridge/inspect.md). */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** Most of one message, in characters. */
const PIECE = 1_000_000;

/** Serves the page, and exchanges that a test makes up: what no real server would send in a test's time. */
export class FixtureServer implements AsyncDisposable {
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #rows = new Map<string, ExchangeRow>();
  readonly #records = new Map<string, ExchangeRecord[]>();
  readonly #lists = new Set<ServerResponse>();
  readonly #details = new Map<ServerResponse, string>();
  /** The paths that were asked for, in order. */
  readonly asked: string[] = [];
  /** Answers everything with 503 while it is set. */
  isDown = false;

  static async start(): Promise<FixtureServer> {
    const fixture = new FixtureServer();
    await new Promise<void>((resolve) => fixture.#server.listen(0, '127.0.0.1', resolve));
    // A test that fails before it can let go of it still ends.
    fixture.#server.unref();
    return fixture;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/inspect/`;
  }

  /** New or changed exchanges, and with `records` what happened in the first of them. */
  put(rows: readonly ExchangeRow[], records: readonly ExchangeRecord[] = []): void {
    for (const row of rows) this.#rows.set(row.id, row);
    this.#tellLists({ now: Date.now(), rows, removed: [] });
    const [row] = rows;
    if (row === undefined || records.length === 0) return;
    const known = this.#records.get(row.id) ?? [];
    const from = known.length;
    known.push(...records);
    this.#records.set(row.id, known);
    for (const [response, id] of this.#details) if (id === row.id) this.#tell(response, row, from, records);
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) this.#rows.delete(id);
    this.#tellLists({ now: Date.now(), rows: [], removed: ids });
  }

  /** Ends every stream, as a bridge that goes away. */
  drop(): void {
    for (const response of [...this.#lists, ...this.#details.keys()]) response.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #tellLists(message: ListMessage): void {
    for (const response of this.#lists) writeEvent(response, message);
  }

  #tell(response: ServerResponse, row: ExchangeRow, from: number, records: readonly ExchangeRecord[]): void {
    const message: RecordsMessage = { now: Date.now(), row, from, records };
    writeEvent(response, message);
    if (row.endedAt !== undefined && records.at(-1)?.kind === 'end') response.end();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').replace('/inspect/', '');
    this.asked.push(request.url ?? '');
    response.setHeader('content-security-policy', POLICY);
    const file = pageFiles().find((each) => each.path === (path === '' ? 'index.html' : path));
    const [, id = '', what] = /^api\/exchanges\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    if (this.isDown) response.writeHead(503).end();
    else if (file !== undefined) response.setHeader('content-type', file.type).end(file.bytes);
    else if (path === 'api/exchanges') this.#sendList(response);
    else if (what === 'tape')
      response.setHeader('content-disposition', 'attachment; filename="e.tape"').end('{"tape":1}\n');
    else if (what === 'curl') response.end("curl 'http://127.0.0.1/v1/responses' -H 'authorization: Bearer ***'\n");
    else if (this.#rows.has(decodeURIComponent(id))) this.#sendRecords(response, decodeURIComponent(id));
    else response.writeHead(404).end();
  }

  #sendList(response: ServerResponse): void {
    beginStream(response);
    this.#lists.add(response);
    response.on('close', () => this.#lists.delete(response));
    writeEvent(response, { now: Date.now(), rows: [...this.#rows.values()], removed: [] } satisfies ListMessage);
  }

  #sendRecords(response: ServerResponse, id: string): void {
    beginStream(response);
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#details.set(response, id);
    response.on('close', () => this.#details.delete(response));
    const all = this.#records.get(id) ?? [];
    let piece: ExchangeRecord[] = [];
    let from = 0;
    let length = 0;
    for (const [at, record] of all.entries()) {
      piece.push(record);
      length += JSON.stringify(record).length;
      if (length < PIECE && at + 1 < all.length) continue;
      this.#tell(response, row, from, piece);
      from = at + 1;
      piece = [];
      length = 0;
    }
    if (all.length === 0) this.#tell(response, row, 0, []);
  }
}

function beginStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
}

function writeEvent(response: ServerResponse, message: ListMessage | RecordsMessage): void {
  response.write(`data: ${JSON.stringify(message)}\n\n`);
}
