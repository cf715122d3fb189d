/**
 * A chat server. The model's name says how it streams: `fast` and `huge` as fast as they go, `probe` one event and the end,
 * `paced` so many events a second, for as long as the client stays.
 */
import { createServer, type ServerResponse } from 'node:http';

const FAST_EVENTS = 100_000;
const HUGE_BYTES = 200_000_000;
const EVENTS_PER_WRITE = 100;
/** Events a second over all streams, and the most that one stream gets of them. */
const RATE = 10_000;
const STREAM_RATE = 1000;
const TICK_MS = 2;

function chunk(text: string): string {
  const delta = { content: text };
  const fields = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' };
  return `data: ${JSON.stringify({ ...fields, choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`;
}

const end = `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`;
const one = Buffer.from(chunk('token '));
const block = Buffer.from(Array.from({ length: EVENTS_PER_WRITE }, (_, i) => chunk(`token${i} `)).join(''));
const open = new Set<ServerResponse>();
const paced = new Set<ServerResponse>();

function streamFast(res: ServerResponse, blocks: number): void {
  let left = blocks;
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
    open.add(res);
    res.once('close', () => {
      open.delete(res);
      paced.delete(res);
    });
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    if (body.includes('"fast"')) streamFast(res, FAST_EVENTS / EVENTS_PER_WRITE);
    else if (body.includes('"huge"')) streamFast(res, HUGE_BYTES / block.byteLength);
    else if (body.includes('"probe"')) res.end(Buffer.concat([one, Buffer.from(end)]));
    else {
      paced.add(res);
      res.write(one);
    }
  });
});

/** Hands each stream its share, one event per write, in turns: what is due since the last tick. */
let told = performance.now();
let due = 0;
let turn: Iterator<ServerResponse> = paced.values();
setInterval(() => {
  const now = performance.now();
  due = Math.min(due + ((now - told) / 1000) * Math.min(RATE, paced.size * STREAM_RATE), RATE);
  told = now;
  for (; due >= 1; due--) nextStream()?.write(one);
}, TICK_MS);

function nextStream(): ServerResponse | undefined {
  let step = turn.next();
  if (step.done === true) {
    turn = paced.values();
    step = turn.next();
  }
  return step.done === true ? undefined : step.value;
}

server.listen(0, '127.0.0.1', 8192, () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
});
