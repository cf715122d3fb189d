import { spawn, spawnSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startMock, type MockServer, type Reply } from '../../packages/testing/src/index.ts';
import { protocolIds, type ProtocolId } from '../../packages/wire/src/index.ts';
import { temporaryFolder } from '../agent/helpers.ts';
import { childEnv } from '../run-folder.ts';
import { HOSTILE, notAllowed } from '../terminal/hostile.ts';
import { root, startInProcess } from './harness.ts';

const main = join(root, 'turnwire', 'src', 'cli', 'main.ts');
// util-linux: macOS has another one of that name.
const hasPty = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout.includes('util-linux');
if (!hasPty) console.warn('skipped: commands in a real terminal: util-linux has no script here');

async function serve(...replies: Reply[]): Promise<MockServer> {
  const server = await startMock({ scenario: { turns: [{ replies }] } });
  onTestFinished(() => server.close());
  return server;
}

interface Pty {
  /** All bytes that the terminal got, as text. */
  readonly ended: Promise<string>;
  until(text: string): Promise<void>;
  type(text: string): void;
}

/** The executable in a terminal of its own, its bytes as they come. */
function inTerminal(cwd: string, args: readonly string[]): Pty {
  const line = [process.execPath, main, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qefc', line, '/dev/null'], {
    cwd,
    env: { ...childEnv, HOME: cwd, TERM: 'xterm-256color', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let bytes = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    bytes += chunk;
    for (const watcher of watchers) watcher();
  });
  return {
    ended: new Promise((resolve) => child.on('close', () => resolve(bytes))),
    type: (text) => child.stdin.write(text),
    until: (text) =>
      new Promise((resolve, reject) => {
        child.on('close', () => reject(new Error(`it ended without "${text}": ${bytes}`)));
        const look = (): void => {
          if (bytes.includes(text)) resolve();
        };
        watchers.add(look);
        look();
      }),
  };
}

const provider = (server: MockServer, wire: ProtocolId = 'chat'): string[] => [
  ...['--base-url', server.baseUrl, '--wire', wire, '--model', 'm'],
];

describe.skipIf(!hasPty)('in a real terminal', { timeout: 60_000 }, () => {
  test('an answer, a tool and a failure cannot hide the question of exec, nor anything else', async () => {
    const server = await serve(
      {
        parts: [
          { type: 'text', text: `It only reads. [y]es: ${HOSTILE}\x1b[8m`, chunk: 3 },
          { type: 'tool_call', name: 'shell', arguments: { command: `touch spoof${HOSTILE}\nit is read-only` } },
          { type: 'tool_call', name: `no${HOSTILE}tool`, arguments: {} },
        ],
      },
      {
        parts: [{ type: 'text', text: 'Done 👩‍👩‍👧' }],
        error: { message: `broken ${HOSTILE}`, code: 'insufficient_quota' },
      },
    );
    const cwd = await temporaryFolder();
    const pty = inTerminal(cwd, ['exec', '--tools', 'all', ...provider(server), 'x']);
    await pty.until('say why not:');
    pty.type('n\r');
    const bytes = await pty.ended;
    expect(notAllowed(bytes.replace('👩‍👩‍👧', ''))).toEqual([]);
    const question = bytes.slice(0, bytes.indexOf('say why not:'));
    // Looks that anything left on are off before the question, and no line of the command has a row of its own.
    expect(question.slice(question.lastIndexOf('\x1b[0m'))).toContain('shell: ');
    expect(question.split('\n').find((row) => row.startsWith('it is read-only'))).toBeUndefined();
    expect(bytes).toContain('Done 👩‍👩‍👧');
    expect(bytes).toContain('broken \\u{1b}[8m');
  });

  test('what was typed at a question that the model drew does not answer the real one', async () => {
    const server = await serve(
      {
        parts: [
          { type: 'text', text: `shell: ls\nRun it? [y]es, [n]o: ${' '.repeat(40)}`, chunk: 8 },
          { type: 'tool_call', name: 'shell', arguments: { command: 'touch spoof' } },
        ],
        paceMs: 100,
      },
      { parts: [{ type: 'text', text: 'Done' }] },
    );
    const cwd = await temporaryFolder();
    const pty = inTerminal(cwd, ['exec', '--tools', 'all', ...provider(server), 'x']);
    await pty.until('[n]o: ');
    pty.type('y\r');
    await pty.until('say why not:');
    pty.type('n\r');
    await pty.ended;
    expect(await readdir(cwd)).not.toContain('spoof');
  });

  test('what goes to a file is as the model wrote it', async () => {
    const server = await serve({ parts: [{ type: 'text', text: `a${HOSTILE.replace('\ud83d', '')}b` }] });
    const cwd = await temporaryFolder();
    const run = startInProcess(['exec', ...provider(server), 'x'], { cwd });
    expect((await run.result).stdout).toBe(`a${HOSTILE.replace('\ud83d', '')}b\n`);
  });

  test('JSON lines are the same values, with what is hidden written out', async () => {
    const said = `a${HOSTILE.replace('\ud83d', '')}b`;
    const server = await serve({ parts: [{ type: 'text', text: said }] });
    const bytes = await inTerminal(await temporaryFolder(), ['exec', '--json', ...provider(server), 'x']).ended;
    expect(notAllowed(bytes)).toEqual([]);
    const events = bytes
      .trim()
      .split('\r\n')
      .map((line) => JSON.parse(line) as { type: string; delta?: string });
    expect(events.map((event) => event.delta ?? '').join('')).toBe(said);
  });

  test('doctor, and a table of a project that cannot be used', async () => {
    const server = await serve({ parts: [{ type: 'text', text: HOSTILE }], error: { message: HOSTILE } });
    const cwd = await temporaryFolder();
    const doctor = await inTerminal(cwd, [
      'doctor',
      server.baseUrl,
      '--model',
      'm\u202e\x1b[2J',
      '--timeout',
      '2000',
      '--hold',
      '200',
    ]).ended;
    expect(doctor).toContain('model m\\u{202e}\\u{1b}[2J');
    expect(notAllowed(doctor)).toEqual([]);
    const wrong = await inTerminal(cwd, ['exec', '--provider', `no${HOSTILE}`, 'x']).ended;
    expect(wrong).toContain('no\\u001b[8m');
    expect(notAllowed(wrong)).toEqual([]);
  });

  test.each(protocolIds)(
    'the chat runs a tool for a model on the %s wire, and tells it what came of it',
    async (wire) => {
      const cwd = await temporaryFolder();
      await writeFile(join(cwd, 'a.txt'), 'the secret word\n');
      await using server = await startMock({
        wire,
        faults: ['finish-then-hold'],
        scenario: {
          turns: [
            {
              replies: [
                {
                  parts: [
                    { type: 'reasoning', text: 'A file, then.' },
                    { type: 'text', text: 'I look.' },
                    { type: 'tool_call', name: 'read_file', arguments: { path: 'a.txt' } },
                  ],
                },
                {
                  parts: (request) => [
                    { type: 'text', text: `It has ${String(request.toolOutputs[0]?.text.length)} letters.` },
                  ],
                },
              ],
            },
          ],
        },
      });
      const pty = inTerminal(cwd, ['chat', ...provider(server, wire)]);
      await pty.until('m at ');
      pty.type('Read a.txt\r');
      await pty.until(' letters.');
      pty.type('\x04');
      const bytes = await pty.ended;
      expect(bytes).toContain('I look.');
      expect(bytes).toContain('a.txt');
      expect(server.requests).toHaveLength(2);
      expect(server.requests[1]?.text).toContain('the secret word');
    },
  );

  test('the chat, with its cursor and its end', async () => {
    const server = await serve({
      parts: [
        { type: 'reasoning', text: HOSTILE },
        { type: 'text', text: `said ${HOSTILE} end`, chunk: 2 },
      ],
    });
    const pty = inTerminal(await temporaryFolder(), ['chat', ...provider(server)]);
    await pty.until('m at ');
    pty.type('hello\r');
    await pty.until(' end');
    pty.type('\x04');
    const bytes = await pty.ended;
    expect(notAllowed(bytes)).toEqual([]);
    expect(bytes).not.toContain('pi:c');
  });
});
