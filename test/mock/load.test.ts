import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { scenario, startMock } from '../../packages/testing/src/index.ts';

function rawRequest(port: number, body: string): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

const ask = '{"messages":[{"role":"user","content":"x"}],"stream":true}';

describe('the mock under load', () => {
  it('never runs ahead of a client that does not read', async () => {
    const words = ' word'.repeat(200_000); // about 35 MB on the wire
    await using server = await startMock({ scenario: scenario().text(words) });
    const socket = rawRequest(server.port, ask);
    await new Promise((resolve) => socket.once('readable', resolve));
    let before = -1;
    const state = server.requests[0]!.answer;
    while (state.writes !== before) {
      before = state.writes;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(state.phase).toBe('streaming');
    expect(before * 16 * 1024).toBeLessThan(16 * 1024 * 1024); // what the two kernels buffer, not the answer
    socket.destroy();
  });

  it('sends 200,000 events whole', async () => {
    await using server = await startMock({ scenario: scenario().text(' word'.repeat(200_000)) });
    const response = await fetch(`${server.baseUrl}/chat/completions`, { method: 'POST', body: ask });
    const text = await response.text();
    expect(text.split('"content":" word"').length - 1).toBe(200_000);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('holds 1,000 open streams, and lets go of all of them', async () => {
    const server = await startMock({ faults: ['stall-after:2'] });
    const sockets = Array.from({ length: 1000 }, () => rawRequest(server.port, ask));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('data', resolve))));
    expect(server.requests.filter(({ answer }) => answer.phase === 'held')).toHaveLength(1000);
    const closed = sockets.map(
      (socket) => new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve)),
    );
    await server.close();
    await Promise.all(closed);
  });
});
