import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chatChunk, chatEnd } from './raw-upstream.ts';

/** A chat server that says what it has. */
export interface ModelServer extends AsyncDisposable {
  readonly url: string;
  /** The models that it was asked to answer with, in order. */
  readonly asked: (string | undefined)[];
  /** What else it was asked: method and path. */
  readonly others: string[];
  readonly headers: IncomingMessage['headers'][];
  /** Ids, or entries, of its list; undefined: it has no list. May be changed. */
  list: readonly (string | Record<string, unknown>)[] | undefined;
}

export interface ModelServerOptions {
  readonly list?: ModelServer['list'];
  /** Answers 404 to models that it does not list. Default: it answers to any name, as llama.cpp does. */
  readonly strict?: boolean;
  /** Answers to other questions, by method and path. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** Takes the answer to a `POST` over; false: it is answered as ever. */
  readonly answer?: (req: IncomingMessage, res: ServerResponse) => boolean;
}

export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const state: Pick<ModelServer, 'asked' | 'others' | 'headers'> & { list: ModelServer['list'] } = {
    asked: [],
    others: [],
    headers: [],
    list: options.list,
  };
  const json = (res: ServerResponse, status: number, body: unknown): void => {
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const server = createServer((req, res) => {
    const path = `${req.method} ${req.url}`;
    let text = '';
    req.on('data', (chunk: Buffer) => (text += chunk.toString()));
    req.on('end', () => {
      state.headers.push(req.headers);
      if (path !== 'POST /v1/chat/completions') {
        state.others.push(path);
        const data = state.list?.map((one) => (typeof one === 'string' ? { id: one, object: 'model' } : one));
        if (path === 'GET /v1/models' && data !== undefined) json(res, 200, { object: 'list', data });
        else if (options.more?.[path] !== undefined) json(res, 200, options.more[path]);
        else json(res, 404, { error: { message: 'not here' } });
        return;
      }
      const { model } = JSON.parse(text) as { model?: string };
      state.asked.push(model);
      if (options.answer?.(req, res) === true) return;
      const has = state.list?.some((one) => (typeof one === 'string' ? one : one.id) === model) ?? false;
      if (options.strict === true && !has) {
        json(res, 404, { error: { message: `no model ${model}`, code: 'model_not_found', type: 'not_found_error' } });
        return;
      }
      res.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatChunk('x') + chatEnd);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
