import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMock, type MockServer } from '../../packages/testing/src/index.ts';
import { garbage, type GarbageCase } from './garbage-cases.ts';
import { childEnv, createRunFolder } from '../run-folder.ts';

/*
 * What the protocol demands of an agent on stdio, asked without the SDK: the requirements that the public test kit
 * (agentclientprotocol/acp-tck, its suite for version 1) names, as far as they apply here.
 */

type Json = Record<string, unknown>;
interface Wire {
  readonly lines: Json[];
  /** The first request for permission. */
  readonly question: Promise<Json>;
  send(message: unknown): void;
  /** Bytes as they are, and the line break. */
  sendLine(line: string): void;
  request(method: string, params: unknown): Promise<Json>;
  end(): Promise<number | null>;
}

let server: MockServer;
let wire: Wire;
let cwd = '';

function startWire(): Wire {
  const main = join(import.meta.dirname, '../../turnwire/src/cli/main.ts');
  const args = [main, 'acp', '--base-url', server.baseUrl, '--wire', 'chat', '--model', 'm'];
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...childEnv, HOME: cwd },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines: Json[] = [];
  const question = Promise.withResolvers<Json>();
  const waiting = new Map<unknown, (message: Json) => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    // Anything on stdout that is no message of the protocol fails here.
    const message = JSON.parse(line) as Json;
    lines.push(message);
    if (message['method'] === 'session/request_permission') question.resolve(message);
    if (message['method'] === undefined) waiting.get(message['id'])?.(message);
  });
  let id = 0;
  const send = (message: unknown): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  const exit = once(child, 'exit');
  return {
    lines,
    question: question.promise,
    send,
    sendLine: (line) => void child.stdin.write(`${line}\n`),
    request(method, params) {
      id += 1;
      const answered = new Promise<Json>((resolve) => waiting.set(id, resolve));
      send({ jsonrpc: '2.0', id, method, params });
      return answered;
    },
    async end() {
      child.stdin.end();
      const [code] = (await exit) as [number | null];
      return code;
    },
  };
}

beforeAll(async () => {
  cwd = createRunFolder('acp-conformance');
  const call = { type: 'tool_call' as const, name: 'shell', arguments: { command: 'touch made' } };
  server = await startMock({
    wire: 'chat',
    scenario: { turns: [{ replies: [{ parts: [call] }, { parts: [{ type: 'text', text: 'Done.' }] }] }] },
  });
  wire = startWire();
});

afterAll(async () => {
  await server.close();
});

async function newSession(): Promise<string> {
  const { result } = await wire.request('session/new', { cwd, mcpServers: [] });
  return (result as { sessionId: string }).sessionId;
}

const codeOf = (message: Json): unknown => (message['error'] as Json | undefined)?.['code'];

let probes = 0;

/** Sends garbage, and then a request: answers what came for the first, in short, once the second is answered too. */
async function answersTo({ sends, answers }: GarbageCase): Promise<string[]> {
  const before = wire.lines.length;
  for (const each of sends) {
    if (typeof each === 'string') wire.sendLine(each);
    else wire.send(each);
  }
  const came = () => wire.lines.slice(before).filter((line) => line['method'] === undefined);
  await expect.poll(() => came().length).toBeGreaterThanOrEqual(answers.length);
  const id = `probe ${(probes += 1)}`;
  wire.send({ jsonrpc: '2.0', id, method: 'no/such' });
  await expect.poll(() => came().some((line) => line['id'] === id)).toBe(true);
  const others = came().filter((line) => line['id'] !== id);
  return others.map(
    (line) => `${String(line['id'])} ${line['error'] === undefined ? 'result' : JSON.stringify(codeOf(line))}`,
  );
}

async function expectAnswers(change: (answer: string) => string = (answer) => answer): Promise<void> {
  for (const one of garbage) {
    const answers = await answersTo(one);
    expect([one.name, answers.toSorted()]).toEqual([one.name, one.answers.map(change).toSorted()]);
  }
}

/** Before it has said hello, an editor may ask for nothing else. */
function beforeHello(answer: string): string {
  return answer.includes('initialize') ? answer : answer.replace(/ -32(?:601|602|002)$/, ' -32600');
}

describe('on stdio', () => {
  test('garbage before `initialize` is answered as it should be, and the connection goes on', async () => {
    await expectAnswers(beforeHello);
  });

  test('a version that is not known is answered with the latest that is', async () => {
    const { result } = await wire.request('initialize', {
      protocolVersion: 999,
      clientCapabilities: { _meta: { 'x.test/y': true } },
      _meta: { 'x.test/z': 1 },
    });
    expect(result).toMatchObject({ protocolVersion: 1, agentInfo: { name: 'turnwire' } });
    // As the public registry wants it: at least one method, and its type is `agent` (the default) or `terminal`.
    const { authMethods } = result as { authMethods: Json[] };
    expect(authMethods.map(({ type = 'agent' }) => type)).toEqual(['agent']);
  });

  test('what is unknown is refused by its code, and the connection goes on', async () => {
    expect(codeOf(await wire.request('no/such', {}))).toBe(-32601);
    expect(codeOf(await wire.request('_x.test/custom', {}))).toBe(-32601);
    expect(codeOf(await wire.request('session/new', { cwd: 7 }))).toBe(-32602);
    expect(codeOf(await wire.request('authenticate', { methodId: 'nope' }))).toBe(-32602);
    expect(codeOf(await wire.request('session/prompt', { sessionId: 'nope', prompt: [] }))).toBe(-32002);
    wire.send({ jsonrpc: '2.0', method: 'session/cancel', params: { sessionId: 'nope' } });
    wire.send({ jsonrpc: '2.0', method: '_x.test/told', params: {} });
    expect(await newSession()).toMatch(/^\d{8}-/);
  });

  test('an editor that offers nothing is asked for nothing but permission, and the turn ends once', async () => {
    const sessionId = await newSession();
    const prompt = wire.request('session/prompt', { sessionId, prompt: [{ type: 'text', text: 'go' }] });
    const question = await wire.question;
    await expectAnswers();
    wire.send({ jsonrpc: '2.0', id: question['id'], result: { outcome: { outcome: 'selected', optionId: 'deny' } } });
    expect((await prompt)['result']).toEqual({ stopReason: 'end_turn' });
    const asked = wire.lines.flatMap((line) =>
      line['id'] !== undefined && line['method'] !== undefined ? [line['method']] : [],
    );
    expect(asked).toEqual(['session/request_permission']);
    const told = wire.lines.filter((line) => line['method'] === 'session/update').map((line) => line['params'] as Json);
    expect(new Set(told.filter((params) => params['sessionId'] === sessionId).map(kindOf))).toEqual(
      new Set([
        'available_commands_update',
        'config_option_update',
        'session_info_update',
        'tool_call',
        'tool_call_update',
        'agent_message_chunk',
      ]),
    );
  });

  test('garbage is answered as it should be, and the connection goes on', async () => {
    await expectAnswers();
    expect(await newSession()).toMatch(/^\d{8}-/);
  });

  test('a session that is cancelled before its first prompt works; one that is deleted while it runs ends first', async () => {
    const sessionId = await newSession();
    wire.send({ jsonrpc: '2.0', method: 'session/cancel', params: { sessionId } });
    const first = wire.request('session/prompt', { sessionId, prompt: [{ type: 'text', text: 'go' }] });
    const second = wire.request('session/prompt', { sessionId, prompt: [{ type: 'text', text: 'too' }] });
    expect(codeOf(await second)).toBe(-32600);
    expect((await wire.request('session/delete', { sessionId }))['result']).toEqual({});
    expect((await first)['result']).toEqual({ stopReason: 'cancelled' });
    const again = { sessionId, prompt: [{ type: 'text', text: 'still there?' }] };
    expect(codeOf(await wire.request('session/prompt', again))).toBe(-32002);
    expect(codeOf(await wire.request('session/load', { sessionId, cwd, mcpServers: [] }))).toBe(-32002);
  });

  test('every message is one of JSON-RPC, and the end of stdin is the end', async () => {
    expect(wire.lines.every((line) => line['jsonrpc'] === '2.0')).toBe(true);
    const allowed = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
    expect(wire.lines.flatMap(Object.keys).filter((key) => !allowed.has(key))).toEqual([]);
    expect(await wire.end()).toBe(0);
  });
});

function kindOf(params: Json): unknown {
  return (params['update'] as Json)['sessionUpdate'];
}

test('the entry for the public registry names this version, and has an icon of one colour', async () => {
  const folder = join(import.meta.dirname, '../../deploy/acp-registry/turnwire');
  const entry = JSON.parse(await readFile(join(folder, 'agent.json'), 'utf8')) as Json;
  const manifest = join(import.meta.dirname, '../../turnwire/package.json');
  const { version, license } = JSON.parse(await readFile(manifest, 'utf8')) as Json;
  expect(entry).toMatchObject({
    id: 'turnwire',
    version,
    license,
    distribution: { npx: { package: `turnwire@${String(version)}`, args: ['acp'] } },
  });
  const icon = await readFile(join(folder, 'icon.svg'), 'utf8');
  expect(icon).toContain('width="16" height="16"');
  expect(icon.match(/(?:fill|stroke)="(?!currentColor|none)[^"]*"/g)).toBeNull();
});
