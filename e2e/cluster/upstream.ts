/** A chat server to be killed: each answer takes about a third of a second, and says how many messages it was sent. Tells its parent the port. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const PIECES = 10;
const PAUSE_MS = 30;

const chunk = (delta: object, finish_reason: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;

const server = createServer((req, res) => {
  void text(req).then(async (body) => {
    if (req.method !== 'POST') {
      res.end('{"data":[{"id":"m"}]}');
      return;
    }
    const { messages } = JSON.parse(body) as { readonly messages: readonly unknown[] };
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let piece = 0; piece < PIECES; piece++) {
      res.write(chunk({ content: piece === 0 ? `${messages.length} messages` : '.' }));
      await sleep(PAUSE_MS);
    }
    res.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
  });
});

process.on('disconnect', () => process.exit(0));
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => process.send?.(server.address()));
