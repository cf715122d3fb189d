import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { BodyWriter } from '../../packages/bridge/src/reply/body-writer.ts';

let server: Server | undefined;
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.closeAllConnections();
  server?.close();
});

async function serve(answer: (res: ServerResponse, req: IncomingMessage) => void): Promise<number> {
  server = createServer((req, res) => answer(res, req)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function bodyOf(port: number): Promise<string> {
  const [res] = (await once(get({ port, host: '127.0.0.1' }), 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of res.setEncoding('utf8')) text += String(chunk);
  return text;
}

/** Everything a raw connection receives until it is closed. */
async function rawAnswer(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.write(request);
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
  return text;
}

const pieces: (string | Uint8Array)[] = [
  'data: first\n\n',
  '',
  'data: größer 🎉\n\n',
  Buffer.from('data: bytes ä\n\n'),
  new Uint8Array(0),
  'x'.repeat(100_000),
  Buffer.alloc(50_000, 'y'),
  'data: after\n\n',
];
const whole = pieces.map((piece) => Buffer.from(piece as string).toString()).join('');

test('pieces of all kinds arrive as one body', async () => {
  const port = await serve((res) => {
    const body = new BodyWriter(res);
    for (const piece of pieces) body.write(piece);
    body.end('last');
  });
  expect(await bodyOf(port)).toBe(`${whole}last`);
});

test('HTTP/1.0 gets no chunks', async () => {
  const port = await serve((res) => {
    const body = new BodyWriter(res);
    for (const piece of pieces) body.write(piece);
    body.end();
  });
  const text = await rawAnswer(port, 'GET / HTTP/1.0\r\n\r\n');
  expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(whole);
});

test('an answer with a length gets no chunks', async () => {
  const port = await serve((res) => {
    res.writeHead(200, { 'content-length': '10' });
    const body = new BodyWriter(res, true);
    body.write('12345');
    body.write('67890');
    body.end();
  });
  expect(await bodyOf(port)).toBe('1234567890');
});

test('what one turn brings goes out at its end, in one piece', async () => {
  const writes: string[] = [];
  const gone = Promise.withResolvers<BodyWriter>();
  const port = await serve((res) => {
    const body = new BodyWriter(res);
    body.write('first');
    const { socket } = res;
    if (socket === null) throw new Error('no socket');
    const write = socket.write.bind(socket);
    socket.write = (data: string | Uint8Array): boolean => {
      writes.push(String(data));
      return write(data);
    };
    body.write('a ');
    body.write('b');
    expect(writes).toEqual([]);
    setImmediate(() => gone.resolve(body));
  });
  const text = bodyOf(port);
  const body = await gone.promise;
  expect(writes).toEqual(['3\r\na b\r\n']);
  body.end();
  expect(await text).toBe('firsta b');
});

test('pipelined answers stay in order, whichever is written first', async () => {
  const bodies: BodyWriter[] = [];
  const port = await serve((res) => {
    bodies.push(new BodyWriter(res));
    if (bodies.length < 2) return;
    bodies[1]?.write('second-a ');
    bodies[1]?.write('second-b ');
    bodies[0]?.write('first-a ');
    bodies[0]?.write('first-b ');
    bodies[1]?.end('second-end');
    bodies[0]?.end('first-end');
  });
  const text = await rawAnswer(
    port,
    'GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
  );
  const words = [...text.matchAll(/(?:first|second)-(?:a|b|end)/g)].map(([word]) => word);
  expect(words).toEqual(['first-a', 'first-b', 'first-end', 'second-a', 'second-b', 'second-end']);
});

test.each([
  ['reads', (socket: Socket) => void socket.resume()],
  ['goes', (socket: Socket) => void socket.destroy()],
])('a client that does not read makes it full, until it %s', async (_name, move) => {
  const filled = Promise.withResolvers<BodyWriter>();
  const port = await serve((res) => {
    const body = new BodyWriter(res);
    const fill = (): void => {
      for (let n = 0; n < 1000 && !body.full; n++) body.write('z'.repeat(4096));
      // What the kernel takes at once leaves again: full is what stays full.
      setImmediate(() => (body.full ? filled.resolve(body) : fill()));
    };
    fill();
  });
  const socket = connect(port, '127.0.0.1').pause();
  sockets.push(socket);
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const body = await filled.promise;
  expect(body.full).toBe(true);
  const drained = body.drained();
  move(socket);
  await drained;
});
