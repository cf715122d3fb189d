/** A chat server that streams as fast as it can (`fast`), or one event per stream and period (`paced`). */
import { createServer, type ServerResponse } from 'node:http';

const FAST_EVENTS = 100_000;
const EVENTS_PER_WRITE = 100;
const PERIOD_MS = 200;
const SLOTS = 20;

function chunk(text: string): string {
  const delta = { content: text };
  const fields = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' };
  return `data: ${JSON.stringify({ ...fields, choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`;
}

const end = `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`;
const one = Buffer.from(chunk('token '));
const block = Buffer.from(Array.from({ length: EVENTS_PER_WRITE }, (_, i) => chunk(`token${i} `)).join(''));
const open = new Set<ServerResponse>();

function streamFast(res: ServerResponse): void {
  let left = FAST_EVENTS / EVENTS_PER_WRITE;
  const more = (): void => {
    while (left-- > 0) {
      if (res.write(block)) continue;
      res.once('drain', more);
      return;
    }
    res.end(end);
  };
  more();
}

const server = createServer((req, res) => {
  let body = '';
  req.on('data', (data) => (body += String(data)));
  req.on('end', () => {
    if (req.method !== 'POST') {
      res.end(JSON.stringify({ open: open.size }));
      return;
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    if (body.includes('"fast"')) {
      streamFast(res);
      return;
    }
    open.add(res);
    res.once('close', () => open.delete(res));
    res.write(one);
  });
});
let slot = 0;
setInterval(() => {
  let place = 0;
  for (const res of open) if (place++ % SLOTS === slot) res.write(one);
  slot = (slot + 1) % SLOTS;
}, PERIOD_MS / SLOTS);
server.listen(0, '127.0.0.1', 8192, () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
});
