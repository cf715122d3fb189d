import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { startMock, type MockServer } from '../../src/mock/index.ts';
import { resultOf, runInProcess, spawnCli, startInProcess, type RunningCli } from './harness.ts';

const SCRIPTED = 'This is a scripted answer: no model was asked. You said: hi\n';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/** Text at a pace that no test waits for. */
const slow = {
  turns: [{ replies: [{ paceMs: 20, parts: [{ type: 'text', text: 'one '.repeat(10_000), chunk: 4 }] }] }],
} as const;

function startChat(server: MockServer): { cli: RunningCli; keys: PassThrough } {
  const keys = new PassThrough();
  const args = ['chat', '--base-url', server.baseUrl, '--wire', 'chat'];
  return { cli: startInProcess(args, { stdin: keys, tty: true }), keys };
}

const messagesOf = (server: MockServer, n: number): unknown => server.requests[n]?.body?.messages;

describe('chat without a terminal', () => {
  it.each([['chat'], []])('answers the prompt on stdin and ends: turnwire %s', async (...args) => {
    const { code, stdout, stderr } = await runInProcess(args, { stdin: 'hi\n' });
    expect(stdout).toBe(SCRIPTED);
    expect(stderr).toMatch(/^turnwire chat: .*scripted.*--base-url.*\n$/);
    expect(code).toBe(0);
  });

  it('says when there is no prompt', async () => {
    expect(await runInProcess([])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'turnwire chat: no prompt: stdin is empty\n',
    });
  });

  it('works as a process: echo hi | turnwire', async () => {
    const child = spawnCli([]);
    child.stdin.end('hi\n');
    expect(await resultOf(child)).toMatchObject({ code: 0, stdout: SCRIPTED });
  });
});

describe('chat on a terminal', () => {
  it('keeps the conversation, and leaves at the end of input', async () => {
    await using server = await startMock();
    const { cli, keys } = startChat(server);
    keys.write('first\r');
    await cli.until(/You said: first\n/);
    keys.write('second\r');
    await cli.until(/You said: second\n/);
    keys.write(CTRL_D);
    expect((await cli.result).code).toBe(0);
    const answer = (text: string): string => `This is a scripted answer: no model was asked. You said: ${text}`;
    expect(messagesOf(server, 1)).toMatchObject([
      { role: 'user', content: 'first' },
      { role: 'assistant', content: answer('first') },
      { role: 'user', content: 'second' },
    ]);
  });

  it('interrupts an answer with Ctrl-C, keeps what was said, and goes on', async () => {
    await using server = await startMock({
      scenario: { turns: [...slow.turns, { replies: [{ parts: [{ type: 'text', text: 'Two.' }] }] }] },
    });
    const { cli, keys } = startChat(server);
    keys.write('count\r');
    await cli.until(/one one/);
    keys.write(CTRL_C);
    await cli.until(/Ctrl-C again/);
    keys.write('go on\r');
    await cli.until(/Two\./);
    keys.write('/exit\r');
    expect((await cli.result).code).toBe(0);
    expect(messagesOf(server, 1)).toMatchObject([
      { role: 'user', content: 'count' },
      { role: 'assistant', content: expect.stringMatching(/^one one/) as string },
      { role: 'user', content: 'go on' },
    ]);
  });

  it('leaves with 130 at the second Ctrl-C, whether an answer runs or not', async () => {
    await using server = await startMock({ scenario: slow });
    const idle = startChat(server);
    await idle.cli.until(/> /);
    idle.keys.write(CTRL_C + CTRL_C);
    expect((await idle.cli.result).code).toBe(130);

    const busy = startChat(server);
    busy.keys.write('count\r');
    await busy.cli.until(/one one/);
    busy.cli.signal('SIGINT');
    busy.cli.signal('SIGINT');
    expect((await busy.cli.result).code).toBe(130);
  });

  it('tells a failure in one line and goes on; the failed question is not part of the conversation', async () => {
    await using server = await startMock({ faults: ['invalid-prompt@1'] });
    const { cli, keys } = startChat(server);
    keys.write('bad\r');
    await cli.until(/invalid_request: .*\n/);
    keys.write('hi\r');
    await cli.until(/You said: hi\n/);
    keys.write(CTRL_D);
    expect((await cli.result).code).toBe(0);
    expect(messagesOf(server, 1)).toEqual([{ role: 'user', content: 'hi' }]);
  });
});
