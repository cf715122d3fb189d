/** A server of Chat Completions that finishes its answer and holds the socket. Prints its base URL; ends with its stdin. */
import { createServer } from 'node:http';

const chunk = (delta, reason) =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'tiny', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(chunk({ role: 'assistant', content: 'Hé' }, null) + chunk({}, 'stop'));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/v1`));
process.stdin.resume().on('end', () => process.exit(0));
