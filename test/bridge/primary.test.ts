import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Port } from '../../packages/bridge/src/workers/channel.ts';
import type { Message } from '../../packages/bridge/src/workers/message.ts';
import { Primary } from '../../packages/bridge/src/workers/primary.ts';
import { manualClock } from '../transport/support/manual-clock.ts';

/** A worker that is played by hand, and the clients that it was given. */
function createWorker() {
  const given: Socket[] = [];
  const tell = Promise.withResolvers<(message: Message) => void>();
  const port: Port = {
    send: (_, socket) => {
      if (socket !== undefined) given.push(socket);
    },
    onMessage: (listener) => tell.resolve((message) => listener(message, undefined)),
    onGone: () => undefined,
  };
  return { port, given, ready: async () => (await tell.promise)({ kind: 'ready' }) };
}

function createPrimary(): Primary {
  const identity = { port: 1, turnStateKey: 'key', hop: 'hop' };
  return new Primary({ clock: manualClock(), identity, folder: '/nowhere', store: undefined });
}

describe('clients that come while workers start', () => {
  it('are shared among all of them, whichever is ready first', async () => {
    const primary = createPrimary();
    const workers = [createWorker(), createWorker()];
    for (const { port } of workers) primary.join(port);
    const clients = Array.from({ length: 6 }, () => new Socket());
    for (const client of clients.slice(0, 3)) primary.give(client);
    await workers[0]?.ready();
    for (const client of clients.slice(3)) primary.give(client);
    expect(workers.map(({ given }) => given.length)).toEqual([0, 0]);
    await workers[1]?.ready();
    primary.open();
    expect(workers.map(({ given }) => given.length)).toEqual([3, 3]);
    primary.close();
  });

  it('get the one that is ready first later, when none was left', async () => {
    const primary = createPrimary();
    primary.open();
    const client = new Socket();
    primary.give(client);
    const worker = createWorker();
    primary.join(worker.port);
    expect(worker.given).toEqual([]);
    await worker.ready();
    expect(worker.given).toEqual([client]);
    primary.close();
  });
});
