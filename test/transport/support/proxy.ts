import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A proxy that a test may look at. */
export interface TestProxy {
  /** With a user and the password `sesame`. */
  readonly url: string;
  /** What it was asked for by each connection: `METHOD TARGET`. */
  readonly targets: string[];
  close(): void;
}

/** A proxy that tunnels, and hands on what is not encrypted. `port`: of this machine, where all goes that is meant for other hosts. */
export async function startProxy(port?: number): Promise<TestProxy> {
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (head) => {
      const [method, target = ''] = head.toString('latin1').split(' ');
      targets.push(`${method} ${target}`);
      const url = method === 'CONNECT' ? new URL(`http://${target}`) : new URL(target);
      const up = connect(port ?? Number(url.port), port === undefined ? url.hostname : '127.0.0.1', () => {
        if (method === 'CONNECT') socket.write('HTTP/1.1 200 OK\r\n\r\n');
        else up.write(head);
        socket.pipe(up).pipe(socket);
      });
      sockets.add(up);
      up.on('error', () => socket.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://user:sesame@127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
