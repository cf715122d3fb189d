import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startMock, type MockServer, type ReplyPart } from '../../packages/testing/src/index.ts';
import { protocolIds } from '../../packages/wire/src/index.ts';
import { linesOf, runInProcess, type CliResult } from '../cli/harness.ts';
import { ofWiki } from '../transport/support/certificate.ts';
import { startProxy } from '../transport/support/proxy.ts';
import { childEnv } from '../run-folder.ts';
import { commandLines, temporaryFolder } from './helpers.ts';
import { needSandbox } from './sandbox-support.ts';

const main = join(import.meta.dirname, '../../turnwire/src/cli/main.ts');

async function serve(...replies: ReplyPart[][]): Promise<MockServer> {
  const server = await startMock({ scenario: { turns: [{ replies: replies.map((parts) => ({ parts })) }] } });
  onTestFinished(() => server.close());
  return server;
}

type Server = Pick<MockServer, 'baseUrl'>;

function lineFor(server: Server, args: readonly string[]): string[] {
  return ['exec', '--base-url', server.baseUrl, '--wire', 'chat', '--model', 'm', ...args];
}

/** `turnwire exec` in a process of its own: for signals, limits and environments, which belong to a process. */
function start(cwd: string, server: Server, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main, ...lineFor(server, args)], {
    cwd,
    env: { ...childEnv, HOME: join(cwd, '.home'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function finished(child: ReturnType<typeof start>): Promise<CliResult> {
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, stdout, stderr };
}

/** The same command line without the second that a process takes to start. */
function exec(cwd: string, server: Server, args: readonly string[], env: Record<string, string> = {}) {
  return runInProcess(lineFor(server, args), {
    cwd,
    home: join(cwd, '.home'),
    env: { PATH: process.env.PATH ?? '', ...env },
  });
}

/** Messages as they are on a machine with a sandbox: where there is none that is said, and has a test of its own. */
function besidesSandbox(stderr: string): string {
  return stderr.replace(/^turnwire exec: note: commands run without a sandbox.*\n/m, '');
}

const mcpTable = (name: string): string =>
  `[mcp_servers.${name}]\ncommand = ${JSON.stringify(process.execPath)}\nargs = [${JSON.stringify(join(import.meta.dirname, 'mcp-server.ts'))}]\n`;

/** A folder, and in it the home of somebody who has configured an MCP server. */
async function withMcpServer(name: string): Promise<string> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, '.home/.config/turnwire'), { recursive: true });
  await writeFile(join(cwd, '.home/.config/turnwire/config.toml'), mcpTable(name));
  return cwd;
}

const patch = '*** Begin Patch\n*** Add File: made.txt\n+by the script\n*** End Patch';
const patchCall: ReplyPart = { type: 'tool_call', name: 'apply_patch', arguments: { input: patch }, callId: 'c1' };
const done: ReplyPart[] = [{ type: 'text', text: 'Done.' }];

test.each(protocolIds)('the embedded script shows everything without a key, on the %s wire', async (wire) => {
  const cwd = await temporaryFolder();
  const args = ['exec', '--wire', wire, '--tools', 'all', '--approve', 'always', '--json', 'Hello'];
  const { stdout } = await runInProcess(args, {
    cwd,
    home: join(cwd, '.home'),
    env: { PATH: process.env.PATH ?? '' },
  });
  const lines = linesOf(stdout);
  const types = lines.map((line) => line.type);
  expect(types).toContain('reasoning_text.delta');
  const finished = lines.filter((line) => line.type === 'tool.finished');
  expect(finished.map((line) => [line.name, line.status])).toEqual([
    ['list_dir', 'completed'],
    ['shell', 'completed'],
    ['apply_patch', 'completed'],
  ]);
  expect(lines.at(-1)).toMatchObject({ type: 'turn.completed', requests: 4 });
  expect(await readFile(join(cwd, 'turnwire-demo.md'), 'utf8')).toContain('turnwire was here');
});

test('each answer of a turn is printed, though the server gives all of them one id', async () => {
  const cwd = await temporaryFolder();
  const message = (text: string) => ({
    type: 'message',
    id: 'msg_1',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  });
  const call = { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'list_dir', arguments: '{"path":"."}' };
  const answers = [[message('Looking.'), call], [message('The end.')]];
  const server = createServer((request, response) => {
    request.resume();
    const output = answers.shift() ?? [];
    const events = output.map((item, index) => ({ type: 'response.output_item.done', output_index: index, item }));
    const last = { type: 'response.completed', response: { id: 'r', status: 'completed', output } };
    response.setHeader('content-type', 'text/event-stream');
    response.end([...events, last].map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const { code, stdout } = await exec(cwd, { baseUrl }, ['--wire', 'responses', '--tools', 'read', 'Look']);
  expect([code, stdout]).toEqual([0, 'Looking.\nThe end.\n']);
});

describe('turnwire exec with tools', () => {
  test('--tools all --approve always creates the file that the script asks for', async () => {
    const cwd = await temporaryFolder();
    const server = await serve([patchCall], done);
    const child = start(cwd, server, ['--tools', 'all', '--approve', 'always', '--json', 'Make it']);
    const { code, stdout, stderr } = await finished(child);
    expect(code).toBe(0);
    expect(besidesSandbox(stderr)).toBe('');
    expect(await readFile(join(cwd, 'made.txt'), 'utf8')).toBe('by the script\n');
    const lines = linesOf(stdout);
    const types = lines.map((line) => line.type).filter((type) => !String(type).endsWith('.delta'));
    // A tool starts when its call is done: whether before or after `completed` of its response is a matter of time.
    expect(types.filter((type) => type !== 'completed')).toEqual([
      'turn.started',
      'created',
      'output_item.added',
      'output_item.done',
      'tool.started',
      'tool.finished',
      'created',
      'output_item.added',
      'output_item.done',
      'turn.completed',
    ]);
    expect(lines.find((line) => line.type === 'tool.started')).toMatchObject({
      call_id: 'c1',
      name: 'apply_patch',
      kind: 'edit',
      changes: [
        {
          kind: 'add',
          path: join(cwd, 'made.txt'),
          diff: '--- /dev/null\n+++ made.txt\n@@ -0,0 +1 @@\n+by the script\n',
        },
      ],
    });
    expect(lines.find((line) => line.type === 'tool.finished')).toMatchObject({
      status: 'completed',
      output: 'applied:\nA made.txt',
    });
    expect(lines.at(-1)).toMatchObject({
      type: 'turn.completed',
      requests: 2,
      usage: { total_tokens: expect.any(Number) as number },
    });
  });

  test.each(protocolIds)('a model on the %s wire runs a tool and is told what came of it', async (wire) => {
    const cwd = await temporaryFolder();
    const thought = { type: 'reasoning', text: 'A patch, then.' } as const;
    const replies = [{ parts: [thought, patchCall] }, { parts: done }];
    await using server = await startMock({ wire, faults: ['finish-then-hold'], scenario: { turns: [{ replies }] } });
    const ran = await exec(cwd, server, ['--wire', wire, '--tools', 'all', '--approve', 'always', 'Make it']);
    expect([ran.code, await readFile(join(cwd, 'made.txt'), 'utf8')]).toEqual([0, 'by the script\n']);
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]?.text).toContain('A made.txt');
  });

  test('the answer is on stdout, what the tools do on stderr', async () => {
    const cwd = await temporaryFolder();
    const server = await serve([{ type: 'text', text: 'I will.' }, patchCall], done);
    const ran = await exec(cwd, server, ['--tools', 'all', '--approve', 'always', 'Make it']);
    expect({ ...ran, stderr: besidesSandbox(ran.stderr) }).toEqual({
      code: 0,
      stdout: 'I will.\nDone.\n',
      stderr: 'turnwire exec: apply_patch: patch made.txt\n',
    });
  });

  test.each(['never', 'ask'])(
    '--approve %s without a terminal writes nothing, and the turn goes on',
    async (approve) => {
      const cwd = await temporaryFolder();
      const server = await serve([patchCall], done);
      const { code, stdout, stderr } = await exec(cwd, server, ['--tools', 'all', '--approve', approve, 'Make it']);
      expect(code).toBe(0);
      expect(stdout).toBe('Done.\n');
      expect(stderr).toContain('apply_patch denied: not run: it needs approval');
      expect(await readdir(cwd)).toEqual(['.home']);
    },
  );

  test('what a model wrote cannot move the cursor through stderr', async () => {
    const cwd = await temporaryFolder();
    const server = await serve([{ type: 'tool_call', name: 'read_file', arguments: { path: 'a\u001b[2Jb' } }], done);
    const { stderr } = await exec(cwd, server, ['--tools', 'read', 'x']);
    expect(stderr).toContain('read a\\u{1b}[2Jb');
    expect(stderr).not.toContain('\u001b');
  });

  test('--tools read offers nothing that changes anything; none offers nothing', async () => {
    const cwd = await temporaryFolder();
    const server = await serve(done);
    await exec(cwd, server, ['--tools', 'read', 'x']);
    await exec(cwd, server, ['x']);
    const bodies = server.requests.map((request) => request.body as { tools?: { function: { name: string } }[] });
    expect(bodies.map((body) => body.tools?.map((tool) => tool.function.name))).toEqual([
      ['read_file', 'list_dir', 'search'],
      undefined,
    ]);
  });

  test('a tool that does not exist gets an error text as its output', async () => {
    const cwd = await temporaryFolder();
    const server = await serve([{ type: 'tool_call', name: 'fly', arguments: {} }], done);
    const { code, stdout } = await exec(cwd, server, ['--tools', 'read', '--json', 'x']);
    expect(code).toBe(0);
    expect(linesOf(stdout).find((line) => line.type === 'tool.finished')).toMatchObject({
      status: 'failed',
      output: 'there is no tool "fly": the tools are read_file, list_dir, search',
    });
  });

  test('--max-requests: turn.failed is the last line, exit 1', async () => {
    const cwd = await temporaryFolder();
    const server = await serve([{ type: 'tool_call', name: 'list_dir', arguments: {} }], done);
    const { code, stdout, stderr } = await exec(cwd, server, ['--tools', 'read', '--json', '--max-requests', '1', 'x']);
    expect(code).toBe(1);
    expect(linesOf(stdout).at(-1)).toMatchObject({
      type: 'turn.failed',
      error: { kind: 'incomplete', code: 'max_requests' },
    });
    expect(stderr).toContain('stopped after 1 requests');
    expect(server.requests).toHaveLength(1);
  });

  test('--cwd is where the tools work; a folder that is not there is exit 2', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'sub'));
    const server = await serve([patchCall], done);
    await exec(cwd, server, ['--tools', 'all', '--approve', 'always', '--cwd', 'sub', 'x']);
    expect(await readdir(join(cwd, 'sub'))).toEqual(['made.txt']);
    const { code, stderr } = await exec(cwd, server, ['--tools', 'all', '--cwd', 'nope', 'x']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^turnwire exec: --cwd: .*\n$/);
  });

  test('no secret of ours reaches a command', async () => {
    const cwd = await temporaryFolder();
    const server = await serve([{ type: 'tool_call', name: 'shell', arguments: { command: 'env > out' } }], done);
    const env = { MY_KEY: 'sesame1', SOME_TOKEN: 'sesame2', PLAIN: 'shown' };
    await finished(start(cwd, server, ['--tools', 'all', '--approve', 'always', '--env-key', 'MY_KEY', 'x'], env));
    const seen = await readFile(join(cwd, 'out'), 'utf8');
    expect(seen).toContain('PLAIN=shown');
    expect(seen).not.toContain('sesame');
  });

  test('--resume last goes on with the conversation; an unknown id is exit 2', async () => {
    const cwd = await temporaryFolder();
    const server = await serve([patchCall], done);
    await exec(cwd, server, ['--tools', 'all', '--approve', 'always', 'First']);
    await exec(cwd, server, ['--resume', 'last', 'Second']);
    const body = server.requests[2]?.body as { messages: { role: string; content: unknown }[] };
    expect(body.messages.map((message) => message.role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user']);
    const { code, stderr } = await exec(cwd, server, ['--resume', 'nope', 'x']);
    expect([code, stderr]).toEqual([2, 'turnwire exec: --resume: there is no thread nope\n']);
  });

  test('a file that cannot grow any more costs the end of the conversation, not the answer', async () => {
    const cwd = await temporaryFolder();
    const server = await serve([{ type: 'text', text: `Whole ${'x'.repeat(3000)} answer.` }]);
    const args = [main, ...lineFor(server, ['Go'])];
    const env = { PATH: process.env.PATH, HOME: join(cwd, '.home'), NODE_DISABLE_COMPILE_CACHE: '1' };
    // Files of at most 1024 bytes.
    const child = spawn('bash', ['-c', 'ulimit -f 1; exec "$@"', '_', process.execPath, ...args], { cwd, env });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    expect(stdout).toMatch(/^Whole x+ answer\.\n$/);
    expect(stderr).toBe('turnwire exec: note: the conversation is not kept as a whole: EFBIG: file too large, write\n');
    expect(child.exitCode).toBe(0);
    const again = await exec(cwd, server, ['--resume', 'last', 'On']);
    expect(again.stderr).toContain('was not written to its end');
    expect(again.code).toBe(0);
  });

  test('--resume of a conversation that is open elsewhere is exit 2, and free again when that one has ended', async () => {
    const cwd = await temporaryFolder();
    const server = await serve(
      [
        {
          type: 'tool_call',
          name: 'shell',
          arguments: { command: 'echo here; while [ ! -e go ]; do sleep 0.05; done' },
        },
      ],
      done,
    );
    const first = start(cwd, server, ['--tools', 'all', '--approve', 'always', '--json', 'Wait']);
    const printed = text(first.stdout);
    await new Promise<void>((resolve) => {
      let seen = '';
      first.stdout.on('data', (chunk: Buffer) => {
        seen += chunk.toString('utf8');
        if (seen.includes('tool.output')) resolve();
      });
    });
    const second = await exec(cwd, server, ['--resume', 'last', 'Go on']);
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toMatch(/--resume: the thread \S+ is open in another turnwire \(process \d+\): end that one/);
    await writeFile(join(cwd, 'go'), '');
    expect(linesOf(await printed).at(-1)).toMatchObject({ type: 'turn.completed' });
    expect(await exec(cwd, server, ['--resume', 'last', 'Go on'])).toMatchObject({ code: 0 });
  });

  test.each([
    ['confirm', {}, 'decline', 'Go on?'],
    ['open', { url: 'https://example.test/' }, 'decline', 'Sign in'],
    [
      'sign_in_first',
      { urls: ['https://example.test/'] },
      'mcp__mine__sign_in_first failed: MCP error -32042: MCP error -32042: sign in first',
      'Sign in',
    ],
  ])('what an MCP server asks in %s is declined, and told on stderr', async (tool, input, output, message) => {
    const cwd = await withMcpServer('mine');
    const server = await serve([{ type: 'tool_call', name: `mcp__mine__${tool}`, arguments: input }], done);
    const ran = await exec(cwd, server, ['--tools', 'all', '--approve', 'always', '--json', 'x']);
    expect(ran.code).toBe(0);
    expect(linesOf(ran.stdout).filter(({ type }) => type === 'tool.finished')).toMatchObject([{ output }]);
    expect(besidesSandbox(ran.stderr)).toContain(
      `the MCP server mine asks for something and is told no: nobody can be asked here (“${message}”)\n`,
    );
  });

  test('MCP servers: those of the project need trust, those of the user do not', { timeout: 60_000 }, async () => {
    const cwd = await withMcpServer('mine');
    await writeFile(join(cwd, 'turnwire.toml'), mcpTable('theirs'));
    const server = await serve(done);
    const names = (index: number): (string | undefined)[] => {
      const body = server.requests[index]?.body as { tools?: { function: { name: string } }[] };
      return (body.tools ?? []).map((tool) => tool.function.name.split('__')[1]).filter((name) => name !== undefined);
    };
    await exec(cwd, server, ['--tools', 'all', '--trust-project', 'x']);
    expect(new Set(names(0))).toEqual(new Set(['theirs', 'mine']));
    const { stderr } = await exec(cwd, server, ['--tools', 'all', '--approve', 'always', 'x']);
    expect(new Set(names(1))).toEqual(new Set(['mine']));
    expect(besidesSandbox(stderr)).toBe(
      `turnwire exec: note: ${cwd}/turnwire.toml is ignored, for this folder is not trusted: it names the MCP server theirs; ` +
        'start turnwire here in a terminal and say yes, or use --trust-project\n',
    );
    await exec(cwd, server, ['--tools', 'read', '--trust-project', 'x']);
    expect(names(2)).toEqual([]);
  });

  test('--output-schema goes with the request', async () => {
    const cwd = await temporaryFolder();
    const schema = {
      type: 'object',
      properties: { n: { type: 'number' } },
      required: ['n'],
      additionalProperties: false,
    };
    await writeFile(join(cwd, 'schema.json'), JSON.stringify(schema));
    const server = await serve([{ type: 'text', text: '{"n":1}' }]);
    const { stdout } = await exec(cwd, server, ['--output-schema', 'schema.json', 'x']);
    expect(stdout).toBe('{"n":1}\n');
    expect(server.requests[0]?.body).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { schema } },
    });
  });

  test.each([
    ['{"n":"one","m":2}', 'data must NOT have additional properties, data/n must be number'],
    ['Here it is: {"n":1}', 'it is not JSON'],
  ])('an answer that does not fit the schema is a failure: %s', async (answer, problem) => {
    const cwd = await temporaryFolder();
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { n: { $ref: '#/$defs/count' } },
      additionalProperties: false,
      $defs: { count: { type: 'number' } },
    };
    await writeFile(join(cwd, 'schema.json'), JSON.stringify(schema));
    // What is said before a tool is not the answer.
    const look: ReplyPart = { type: 'tool_call', name: 'list_dir', arguments: {} };
    const server = await serve([{ type: 'text', text: '{"n":1}' }, look], [{ type: 'text', text: answer }]);
    const flags = ['--tools', 'read', '--output-schema', 'schema.json'];
    const message = `the answer does not fit the output schema: ${problem}`;
    const asText = await exec(cwd, server, [...flags, 'x']);
    expect(asText.code).toBe(1);
    expect(asText.stdout).toBe(`{"n":1}\n${answer}\n`);
    expect(asText.stderr.split('\n').at(-2)).toBe(`turnwire exec: invalid_request: ${message}`);
    const asLines = await exec(cwd, server, [...flags, '--json', 'x']);
    expect(asLines.code).toBe(1);
    expect(linesOf(asLines.stdout).at(-1)).toMatchObject({
      type: 'turn.failed',
      error: { code: 'output_schema', message },
    });
  });

  test('a schema that the check cannot use is told, and the answer is taken as it is', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'schema.json'), '{"$ref":"#/nowhere"}');
    const server = await serve([{ type: 'text', text: 'text' }]);
    const ran = await exec(cwd, server, ['--output-schema', 'schema.json', 'x']);
    expect(ran).toMatchObject({ code: 0, stdout: 'text\n' });
    expect(ran.stderr).toMatch(/^turnwire exec: note: the answer is not checked, for the schema cannot be used: .+\n$/);
  });

  test('SIGINT ends the tool with its group, keeps the conversation, exit 130', async () => {
    const cwd = await temporaryFolder();
    const seconds = `1000.${process.pid}9`; // Its command line is known by it.
    const command = `touch started; sleep ${seconds}`;
    const server = await serve([{ type: 'tool_call', name: 'shell', arguments: { command } }], done);
    const child = start(cwd, server, ['--tools', 'all', '--approve', 'always', '--json', 'x']);
    const stdout = text(child.stdout);
    await expect
      .poll(() => commandLines().filter((line) => line.includes(seconds)), { timeout: 10_000 })
      .not.toEqual([]);
    child.kill('SIGINT');
    await once(child, 'exit');
    expect(child.exitCode).toBe(130);
    expect(linesOf(await stdout).at(-1)).toMatchObject({ type: 'turn.failed', error: { kind: 'aborted' } });
    // In the sandbox the signal that ends them is on its way when we exit.
    await expect.poll(() => commandLines().filter((line) => line.includes(seconds))).toEqual([]);
    const { code } = await exec(cwd, server, ['--resume', 'last', 'on']);
    expect(code).toBe(0);
    const body = server.requests[1]?.body as { messages: { role: string; content: string }[] };
    expect(body.messages.map((message) => message.role)).toEqual(['user', 'assistant', 'tool', 'user']);
    expect(body.messages[2]?.content).toMatch(/^stopped: the user interrupted the turn/);
  });
});

describe('--sandbox', () => {
  const ls: ReplyPart = { type: 'tool_call', name: 'shell', arguments: { command: 'touch made' } };
  const flags = ['--tools', 'all', '--approve', 'always', '--json'];

  test.for([[], ['--sandbox', 'read-only'], ['--sandbox', 'off']])(
    '%j tells what a command runs in',
    async (args, { skip }) => {
      await needSandbox(skip);
      const server = await serve([ls], done);
      const { code, stdout, stderr } = await exec(await temporaryFolder(), server, [...flags, ...args, 'x']);
      expect([code, stderr]).toEqual([0, '']);
      const started = linesOf(stdout).find((line) => line.type === 'tool.started');
      expect(started?.sandbox).toBe(args[1] ?? 'workspace');
      const finished = linesOf(stdout).find((line) => line.type === 'tool.finished');
      expect(finished?.status).toBe(args[1] === 'read-only' ? 'failed' : 'completed');
    },
  );

  test('where none can be had it is said once, and a level that was asked for is an error', async () => {
    const cwd = await temporaryFolder();
    // A search path without the program.
    const bin = await temporaryFolder();
    for (const name of ['touch', 'sh']) await symlink(`/bin/${name}`, join(bin, name));
    const why = process.platform === 'linux' ? 'bubblewrap (the program bwrap) is not installed' : 'there is none for';
    const server = await serve([ls, { ...ls, callId: 'c2' }], done);
    const ran = await exec(cwd, server, [...flags, 'x'], { PATH: bin });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toBe(
      `turnwire exec: note: commands run without a sandbox, and fewer of them without a question: ${why}\n`,
    );
    const asked = await exec(cwd, server, [...flags, '--sandbox', 'workspace', 'x'], { PATH: bin });
    expect([asked.code, asked.stderr]).toEqual([
      2,
      `turnwire exec: --sandbox workspace: no sandbox can be had: ${why}\n`,
    ]);
    const off = await exec(cwd, await serve([ls], done), [...flags, '--sandbox', 'off', 'x'], { PATH: bin });
    expect([off.code, off.stderr]).toEqual([0, '']);
  });
});

describe('AGENTS.md', () => {
  async function told(
    args: readonly string[],
    config = '',
    project: Readonly<Record<string, string>> = {},
  ): Promise<{ instructions: string; stderr: string }> {
    const cwd = await temporaryFolder();
    for (const [name, content] of Object.entries(project)) await writeFile(join(cwd, name), content);
    await writeFile(join(cwd, 'AGENTS.md'), 'Answer in French.');
    await mkdir(join(cwd, '.home/.config/turnwire'), { recursive: true });
    await writeFile(join(cwd, '.home/.config/turnwire/config.toml'), config);
    const server = await serve([{ type: 'text', text: 'oui' }]);
    const { code, stderr } = await exec(cwd, server, [...args, 'hi']);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { messages } = server.requests[0]?.body as { messages: { role: string; content: string }[] };
    return { instructions: messages.find(({ role }) => role === 'system')?.content ?? '', stderr };
  }

  test('is told with tools, and said on stderr', async () => {
    const { instructions, stderr } = await told(['--tools', 'read']);
    expect(instructions).toContain('Answer in French.');
    expect(stderr).toBe('turnwire exec: the model is told AGENTS.md\n');
  });

  test.each([
    ['without tools', [], ''],
    ['with --no-project-doc', ['--tools', 'read', '--no-project-doc'], ''],
    ['with a configuration that wants none', ['--tools', 'read'], 'project_doc_max_bytes = 0\n'],
  ])('is not told %s', async (_, args, config) => {
    const { instructions, stderr } = await told(args, config);
    expect(instructions).not.toContain('French');
    expect(stderr).toBe('');
  });

  test('is not for a project to bound, which is told', async () => {
    const bound = { 'turnwire.toml': 'project_doc_max_bytes = 0\n' };
    const { instructions, stderr } = await told(['--tools', 'read', '--trust-project'], '', bound);
    expect(instructions).toContain('French');
    expect(stderr).toMatch(
      /^turnwire exec: note: \S+turnwire\.toml: project_doc_max_bytes counts in your own config\.toml alone\nturnwire exec: the model is told AGENTS\.md\n$/,
    );
  });

  test('a bound that is no number is wrong usage', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, '.home/.config/turnwire'), { recursive: true });
    await writeFile(join(cwd, '.home/.config/turnwire/config.toml'), 'project_doc_max_bytes = "x"\n');
    const server = await serve([{ type: 'text', text: 'oui' }]);
    const { code, stderr } = await exec(cwd, server, ['hi']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('config.toml: project_doc_max_bytes must be a whole number') as string,
    });
  });
});

describe('private hosts', () => {
  const config = 'fetch_private_hosts = ["127.0.0.1"]\n';

  /** What a page of this machine gives, and what is said. */
  async function fetched(files: Readonly<Record<string, string>>, args: readonly string[], env = {}) {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, '.home/.config/turnwire'), { recursive: true });
    for (const [name, content] of Object.entries(files)) await writeFile(join(cwd, name), content);
    const wiki = createServer((_, response) => void response.end('minutes'));
    onTestFinished(() => void wiki.close());
    await once(wiki.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(wiki.address() as AddressInfo).port}/`;
    const server = await serve([{ type: 'tool_call', name: 'fetch_url', arguments: { url }, callId: 'c1' }], done);
    const flags = ['--tools', 'all', '--approve', 'always', '--json', '--sandbox', 'off', ...args];
    const { code, stdout, stderr } = await exec(cwd, server, [...flags, 'x'], env);
    const { output } = linesOf(stdout).find(({ type }) => type === 'tool.finished') ?? {};
    return { code, stderr, output: String(output).replace(url, 'URL') };
  }

  const refused = 'the page cannot be read: 127.0.0.1 is no address of the public internet';
  const read = 'URL (status 200):\nminutes';

  test('are read once the flag or the own configuration names them, and also beside a proxy', async () => {
    const own = { '.home/.config/turnwire/config.toml': config };
    expect(await fetched({}, [])).toEqual({ code: 0, stderr: '', output: refused });
    expect(await fetched({}, ['--allow-private-host', '127.0.0.1'])).toEqual({ code: 0, stderr: '', output: read });
    expect(await fetched(own, [])).toEqual({ code: 0, stderr: '', output: read });
    const proxy = { HTTP_PROXY: 'http://127.0.0.1:9', no_proxy: '127.0.0.1' };
    expect(await fetched(own, [], proxy)).toEqual({ code: 0, stderr: '', output: read });
  });

  test('an encrypted page comes whole through the proxy that the environment names', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'wiki.pem'), ofWiki.cert);
    const minutes = Array.from({ length: 200 }, (_, at) => `line ${at}`).join('\n');
    const wiki = createTlsServer(ofWiki, (_, response) => response.end(minutes));
    await once(wiki.listen(0, '127.0.0.1'), 'listening');
    const proxy = await startProxy((wiki.address() as AddressInfo).port);
    onTestFinished(() => {
      proxy.close();
      wiki.close();
    });
    const url = 'https://wiki.example/minutes';
    const server = await serve([{ type: 'tool_call', name: 'fetch_url', arguments: { url } }], done);
    const flags = ['--tools', 'all', '--approve', 'always', '--json', '--sandbox', 'off', 'x'];
    const env = { HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1', NODE_EXTRA_CA_CERTS: join(cwd, 'wiki.pem') };
    const { stdout } = await finished(start(cwd, server, flags, env));
    const page = linesOf(stdout).find(({ type }) => type === 'tool.finished');
    expect(page).toMatchObject({ status: 'completed', output: `${url} (status 200):\n${minutes}` });
    expect(proxy.targets).toEqual(['CONNECT wiki.example:443']);
  });

  test('MCP servers are reached through the proxy that the environment names', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, '.home/.config/turnwire'), { recursive: true });
    const table = '[mcp_servers.web]\nurl = "http://tickets.example/mcp"\n';
    await writeFile(join(cwd, '.home/.config/turnwire/config.toml'), table);
    const web = createServer((_, response) => response.writeHead(503).end('from behind the proxy'));
    await once(web.listen(0, '127.0.0.1'), 'listening');
    const proxy = await startProxy((web.address() as AddressInfo).port);
    onTestFinished(() => {
      proxy.close();
      web.close();
    });
    const env = { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' };
    const { stderr } = await exec(cwd, await serve(done), ['--tools', 'all', 'x'], env);
    expect(stderr).toContain('http://tickets.example answered with status 503: ');
    expect(proxy.targets).toEqual(['POST http://tickets.example/mcp']);
  });

  test('are not for the author of a project to name', async () => {
    const { output, stderr } = await fetched({ 'turnwire.toml': config }, ['--trust-project']);
    expect(output).toBe(refused);
    expect(stderr).toMatch(
      /^turnwire exec: note: \S+turnwire\.toml: fetch_private_hosts counts in your own config\.toml alone\n$/,
    );
  });

  test('are names of hosts', async () => {
    const { code, stderr } = await fetched({}, ['--allow-private-host', 'wiki/a b']);
    expect([code, stderr]).toEqual([
      2,
      "turnwire exec: --allow-private-host: 'wiki/a b' is no host name or IP address\n",
    ]);
  });
});
