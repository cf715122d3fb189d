import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startMock, type Fault, type MockServer, type Scenario } from '../../packages/testing/src/index.ts';
import { childEnv } from '../run-folder.ts';
import { temporaryFolder } from './helpers.ts';

const main = join(import.meta.dirname, '../../turnwire/src/cli/main.ts');

type Json = Record<string, unknown>;

const scenario: Scenario = {
  turns: [
    {
      replies: [
        { parts: [{ type: 'tool_call', name: 'read_file', arguments: { path: 'a.txt' } }] },
        { parts: [{ type: 'text', text: 'It says hello.' }] },
      ],
    },
    { replies: [{ parts: [{ type: 'text', text: 'Still hello.' }] }] },
  ],
};

/** A process of its own, so that what comes back later has been on the disk. */
async function exec(cwd: string, server: MockServer, args: readonly string[]): Promise<number | null> {
  const child = spawn(
    process.execPath,
    [main, 'exec', '--base-url', server.baseUrl, '--wire', 'chat', '--model', 'm', '--tools', 'read', ...args],
    { cwd, env: { ...childEnv, HOME: join(cwd, '.home') }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(stderr).not.toContain('failed');
  return child.exitCode;
}

/** The assistant message with the call, in every request that has one. */
function messagesWithCall(server: MockServer): Json[] {
  return server.requests.flatMap(({ body }) =>
    (body?.messages as Json[]).filter((message) => Array.isArray(message.tool_calls)),
  );
}

describe('exec: what a server wants back (docs/contract.md 3.12)', () => {
  test("Gemini's signature comes back on its call, in the same turn and in a resumed conversation", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a.txt'), 'hello');
    // The fault refuses a history whose calls are without it.
    await using server = await startMock({ scenario, faults: ['thought-signature'], wire: 'chat' });
    expect(await exec(cwd, server, ['What does a.txt say?'])).toBe(0);
    expect(await exec(cwd, server, ['--resume', 'last', 'And now?'])).toBe(0);
    const thought_signature = Buffer.from('thought behind read_file').toString('base64');
    const calls = messagesWithCall(server).flatMap(({ tool_calls }) => tool_calls as Json[]);
    expect(calls.map(({ extra_content }) => extra_content)).toEqual([
      { google: { thought_signature } },
      { google: { thought_signature } },
    ]);
    expect(server.requests).toHaveLength(3);
  });

  test("OpenRouter's reasoning comes back on its message, encrypted pieces and all", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a.txt'), 'hello');
    const pieces = [
      { type: 'reasoning.text', text: 'I should ', format: 'anthropic-claude-v1', index: 0 },
      { type: 'reasoning.text', text: 'read it.', signature: 'SIG==', format: 'anthropic-claude-v1', index: 0 },
      { type: 'reasoning.encrypted', data: 'SEALED==', id: 'rs_1', format: 'openai-responses-v1', index: 1 },
    ];
    await using server = await startMock({ scenario, faults: [withReasoningDetails(pieces)], wire: 'chat' });
    expect(await exec(cwd, server, ['What does a.txt say?'])).toBe(0);
    expect(messagesWithCall(server).map(({ reasoning_details }) => reasoning_details)).toEqual([
      [
        {
          type: 'reasoning.text',
          text: 'I should read it.',
          signature: 'SIG==',
          format: 'anthropic-claude-v1',
          index: 0,
        },
        pieces[2],
      ],
    ]);
  });
});

/** Each piece in a delta of its own, before the first answer. */
function withReasoningDetails(pieces: readonly Json[]): Fault {
  const hooks: ReturnType<Fault['create']> = {
    frames: (frames) => [
      ...pieces.map((piece) => ({
        kind: 'json' as const,
        event: '',
        value: { id: 'gen-1', choices: [{ index: 0, delta: { reasoning_details: [piece] }, finish_reason: null }] },
      })),
      ...frames,
    ],
  };
  const create = () => hooks;
  return {
    text: 'reasoning-details@1',
    only: 1,
    spec: { name: 'reasoning-details', summary: 'Reasoning as OpenRouter has it.', wires: ['chat'], create },
    create,
  };
}
