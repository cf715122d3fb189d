/**
 * A chat server to be killed: each answer begins with the name that the process was given, and ends when the parent says
 * `finish`; from then on answers are whole at once. Tells its parent the port.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chatChunk, chatEnd } from './raw-upstream.ts';

const name = process.argv[2] ?? '';
const open = new Set<ServerResponse>();
let finished = false;

const server = createServer((req, res) => {
  req.resume();
  req.on('end', () => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatChunk(name));
    if (finished) res.end(chatEnd);
    else open.add(res);
  });
});

process.on('message', () => {
  finished = true;
  for (const res of open) res.end(chatEnd);
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
