/**
 * A page that shows an answer as it grows, and goes on with it when it was loaded again or its connection broke.
 *
 *   turnwire bridge --upstream http://127.0.0.1:8080/v1 --resume 60000
 *   BASE_URL=http://127.0.0.1:8787/v1 node server.mjs
 *
 * In this repository: node --conditions=@turnwire/source examples/resume/server.mjs
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import OpenAI from 'openai';
import { healing, RESUME_HEADER, resumeStore } from '@turnwire/wire/fetch';

const page = await readFile(new URL('page.html', import.meta.url));

/** Serves the page on a loopback port; 0 is any that is free. `baseURL` is that of a server that keeps its streams. */
export async function startServer({ baseURL, apiKey = 'none', model = 'gpt-5.5', port = 0 }) {
  const client = new OpenAI({ baseURL, apiKey, fetch: healing({ resume: resumeStore() }) });
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    if (pathname === '/') response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
    else if (pathname === '/answer') void answer(request, response, searchParams);
    else response.writeHead(404).end();
  });

  /**
   * The same code for a new answer, for a page that was loaded again, and for a browser that lost its connection: the key says which answer
   * it is. A browser that has seen a part of it names the last event, in `Last-Event-ID`.
   */
  async function answer(request, response, params) {
    const seen = Number(request.headers['last-event-id'] ?? -1);
    const left = new AbortController();
    response.once('close', () => left.abort());
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const send = (event, data, id) => response.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
    let last = seen;
    try {
      const asked = { model, input: params.get('question') ?? '', stream: true };
      const options = { headers: { [RESUME_HEADER]: params.get('key') }, signal: left.signal };
      for await (const event of await client.responses.create(asked, options)) {
        if (event.sequence_number <= seen) continue;
        last = event.sequence_number;
        if (event.type === 'response.output_text.delta') send('text', event.delta, last);
      }
      send('done', {}, last);
    } catch (error) {
      if (!left.signal.aborted) send('failed', error.message, last);
    }
    response.end();
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const {
    BASE_URL: baseURL = 'http://127.0.0.1:8787/v1',
    OPENAI_API_KEY: apiKey,
    MODEL: model,
    PORT: port = 3000,
  } = process.env;
  await startServer({ baseURL, apiKey, model, port: Number(port) });
  console.log(`http://127.0.0.1:${port}`);
}
