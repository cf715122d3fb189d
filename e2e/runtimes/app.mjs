// An app of somebody else's, which runs under `@turnwire/wire/register` in Node, Bun and Deno: it asks a server that never closes its stream.
import { once } from 'node:events';
import { createServer } from 'node:http';
import process from 'node:process';

const chunk = (delta, finish_reason = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const answer = `${chunk({ role: 'assistant', content: 'Hi' })}${chunk({}, 'stop')}data: [DONE]\n\n`;

const closed = Promise.withResolvers();
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(answer);
  response.once('close', closed.resolve);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}/v1/chat/completions`;
const response = await fetch(url, { method: 'POST', body: JSON.stringify({ messages: [], stream: true }) });
console.log((await response.text()) === answer ? 'whole' : 'not whole');
await closed.promise;
process.exit(0);
