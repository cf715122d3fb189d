import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startMock, type MockServer } from '../../packages/testing/src/index.ts';
import { deadUrl } from '../free-port.ts';
import { linesOf, resultOf, runInProcess, spawnCli, startInProcess } from './harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-exec-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SCRIPTED = 'This is a scripted answer: no model was asked. You said: hi\n';
const at = (server: MockServer, wire = 'chat'): string[] => ['--base-url', server.baseUrl, '--wire', wire];
const types = (stdout: string): unknown[] => linesOf(stdout).map(({ type }) => type);

describe('exec on the embedded provider', () => {
  it('answers on stdout and says on stderr that it is scripted, and how to reach a real server', async () => {
    const { code, stdout, stderr } = await runInProcess(['exec', 'hi']);
    expect(stdout).toBe(SCRIPTED);
    expect(stderr).toMatch(/^turnwire exec: .*scripted.*--base-url .*config\.toml.*\n$/);
    expect(code).toBe(0);
  });

  it.each(['-', undefined])('takes the prompt from stdin with the argument %s', async (argument) => {
    const args = argument === undefined ? ['exec'] : ['exec', argument];
    expect((await runInProcess(args, { stdin: 'hi\n' })).stdout).toBe(SCRIPTED);
  });

  it.each(['chat', 'responses'])('prints turn boundaries and every event with --json (%s)', async (wire) => {
    const { code, stdout } = await runInProcess(['exec', '--json', '--wire', wire, 'hi']);
    const lines = linesOf(stdout);
    expect(lines[0]).toMatchObject({ type: 'turn.started', turn: 1 });
    expect(
      lines
        .filter(({ type }) => type === 'output_text.delta')
        .map(({ delta }) => delta)
        .join(''),
    ).toBe(SCRIPTED.trimEnd());
    const completed = lines.at(-2);
    expect(completed).toMatchObject({ type: 'completed', usage: { input_tokens: expect.any(Number) as number } });
    expect(lines.at(-1)).toEqual({ type: 'turn.completed', usage: completed?.usage, requests: 1 });
    expect(code).toBe(0);
  });
});

describe('exec against a server', () => {
  it('completes within the grace when the answer is finished and the socket stays open', async () => {
    await using server = await startMock({ faults: ['finish-then-hold', 'usage-never'] });
    const { code, stdout, stderr } = await runInProcess(['exec', '--json', ...at(server), 'hi']);
    expect(types(stdout).slice(-2)).toEqual(['completed', 'turn.completed']);
    expect(linesOf(stdout).at(-2)).toMatchObject({ ended_by: 'finish_reason', finish_reason: 'stop' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.each(['fresh-item-ids', 'done-empty'])('shows the text of an item once: %s', async (fault) => {
    await using server = await startMock({ faults: [fault] });
    const { code, stdout } = await runInProcess(['exec', ...at(server, 'responses'), 'hi']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: SCRIPTED });
  });

  it('sends the model, the instructions and the schema that were given', async () => {
    await using server = await startMock({
      scenario: { turns: [{ replies: [{ parts: [{ type: 'text', text: '{}' }] }] }] },
    });
    writeFileSync(join(folder, 'system.txt'), 'Be brief.');
    writeFileSync(join(folder, 'schema.json'), '{"type":"object"}');
    const flags = ['--model', 'm1', '--instructions', '@system.txt', '--output-schema', 'schema.json'];
    const { code } = await runInProcess(['exec', ...at(server), ...flags, 'hi'], { cwd: folder });
    expect(code).toBe(0);
    expect(server.requests[0]?.body).toMatchObject({
      model: 'm1',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'hi' },
      ],
      response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' } } },
    });
  });

  it('sends the images that were given behind the prompt, in their order', async () => {
    await using server = await startMock();
    const png = Buffer.from('89504e470d0a1a0a', 'hex');
    writeFileSync(join(folder, 'one.png'), png);
    writeFileSync(join(folder, 'two'), 'GIF89a');
    const flags = ['--image', 'one.png', '--image', 'two'];
    const { code, stderr } = await runInProcess(['exec', ...at(server), ...flags, 'hi'], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const url = (mime: string, bytes: Buffer) => `data:${mime};base64,${bytes.toString('base64')}`;
    const image = (address: string) => ({ type: 'image_url', image_url: { url: address } });
    const content = [
      { type: 'text', text: 'hi' },
      image(url('image/png', png)),
      image(url('image/gif', Buffer.from('GIF89a'))),
    ];
    expect(server.requests[0]?.body).toMatchObject({ messages: [{ role: 'user', content }] });
  });

  it('sends nothing with an image that is too large', async () => {
    writeFileSync(join(folder, 'large.png'), Buffer.alloc(5 * 1024 * 1024 + 1));
    const { code, stderr } = await runInProcess(['exec', '--image', 'large.png', 'hi'], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'turnwire exec: --image: large.png is larger than 5 MB\n' });
  });

  it('ends with turn.failed and exit 1 when the server fails, in its own words', async () => {
    await using server = await startMock({ faults: ['invalid-prompt'] });
    const { code, stdout, stderr } = await runInProcess(['exec', '--json', ...at(server), 'hi']);
    const last = linesOf(stdout).at(-1);
    expect(types(stdout)).toEqual(['turn.started', 'turn.failed']);
    expect(last).toMatchObject({
      error: { kind: 'invalid_request', code: 'invalid_prompt', retry: { class: 'never' } },
    });
    const { message } = last?.error as { message: string };
    expect(stderr).toBe(`turnwire exec: invalid_request: ${message}\n`);
    expect(code).toBe(1);
    expect(server.requests).toHaveLength(1);
  });

  it('tells every retry, and answers in the end', async () => {
    await using server = await startMock({ faults: ['status:503:2'] });
    const { code, stdout } = await runInProcess(['exec', '--json', ...at(server), 'hi']);
    expect(types(stdout).slice(0, 4)).toEqual(['turn.started', 'retrying', 'retrying', 'created']);
    expect(linesOf(stdout)[2]).toMatchObject({ attempt: 2, max: 4, error: { status: 503 }, discarded_item_ids: [] });
    expect(types(stdout).slice(-2)).toEqual(['completed', 'turn.completed']);
    expect(code).toBe(0);
    expect(server.requests).toHaveLength(3);
  });

  it('says on stderr that it tries again', async () => {
    await using server = await startMock({ faults: ['status:503:1'] });
    const { code, stdout, stderr } = await runInProcess(['exec', ...at(server), 'hi']);
    expect(stderr).toMatch(/^turnwire exec: server_overloaded: retry 1 of 4 in 0\.2 s\n$/);
    expect({ code, stdout }).toEqual({ code: 0, stdout: SCRIPTED });
  });

  it('keeps the text that came before a failure', async () => {
    await using server = await startMock({ faults: ['no-finish-close'] });
    const { code, stdout, stderr } = await runInProcess(['exec', '--trust-project', '--provider', 'once', 'hi'], {
      cwd: oneTry(server),
    });
    expect(stdout).toMatch(/^This is a scripted/);
    expect(stderr).toMatch(/stream_truncated: /);
    expect(code).toBe(1);
  });

  it('says where a refused connection went to', async () => {
    const { code, stdout, stderr } = await runInProcess(['exec', '--trust-project', '--provider', 'once', 'hi'], {
      cwd: oneTry({ baseUrl: await deadUrl() }),
    });
    expect(stderr).toMatch(/^turnwire exec: connection_failed: .*127\.0\.0\.1.*\n$/);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });

  it('is interrupted by Ctrl-C: exit 130, the request cancelled', async () => {
    await using server = await startMock({ scenario: slow });
    const cli = startInProcess(['exec', '--json', ...at(server), 'hi']);
    await cli.until(/output_text\.delta/);
    cli.signal('SIGINT');
    const { code, stdout, stderr } = await cli.result;
    expect(linesOf(stdout).at(-1)).toMatchObject({ type: 'turn.failed', error: { kind: 'aborted' } });
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'turnwire exec: interrupted\n' });
  });

  it('cancels the request when the reader of its output goes away', async () => {
    await using server = await startMock({ scenario: slow });
    const cli = startInProcess(['exec', ...at(server), 'hi']);
    await cli.until(/one/);
    cli.stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(await cli.result).toMatchObject({ code: 0, stderr: '' });
  });
});

/** Text at a pace that no test waits for. */
const slow = {
  turns: [{ replies: [{ paceMs: 20, parts: [{ type: 'text', text: 'one '.repeat(10_000), chunk: 4 }] }] }],
} as const;

/** A folder whose provider `once` is this server, tried once. */
function oneTry(server: Pick<MockServer, 'baseUrl'>): string {
  const table = ['[model_providers.once]', `base_url = "${server.baseUrl}"`, 'wire_api = "chat"'];
  const retries = ['request_max_retries = 0', 'stream_max_retries = 0'];
  writeFileSync(join(folder, 'turnwire.toml'), [...table, ...retries].join('\n'));
  return folder;
}

describe('the key', () => {
  it('comes from the variable that --env-key names', async () => {
    await using server = await startMock();
    const args = ['exec', ...at(server), '--env-key', 'MY_KEY', 'hi'];
    await runInProcess(args, { env: { MY_KEY: 'sesame-1' } });
    expect(server.requests[0]?.headers.authorization).toBe('Bearer sesame-1');
    const { code, stderr } = await runInProcess(args);
    expect(stderr).toMatch(/^turnwire exec: the environment variable MY_KEY is not set: .*\n$/);
    expect([code, server.requests.length]).toEqual([2, 1]);
  });

  it('comes from the first line of stdin, the prompt from the rest', async () => {
    await using server = await startMock();
    const args = ['exec', ...at(server), '--api-key-stdin'];
    const { stdout, stderr } = await runInProcess(args, { stdin: 'sesame-2\nhi\n' });
    expect(server.requests[0]?.headers.authorization).toBe('Bearer sesame-2');
    expect({ stdout, stderr }).toEqual({ stdout: SCRIPTED, stderr: '' });
    const withArgument = await runInProcess([...args, 'hi'], { stdin: 'sesame-3' });
    expect(server.requests[1]?.headers.authorization).toBe('Bearer sesame-3');
    expect(withArgument.stdout).toBe(SCRIPTED);
  });
});

describe('the real process', () => {
  it('streams the answer of a server that holds the line, and ends', async () => {
    await using server = await startMock({ faults: ['finish-then-hold'] });
    const child = spawnCli(['exec', ...at(server), 'hi']);
    const result = await resultOf(child);
    expect(result).toEqual({ code: 0, stdout: SCRIPTED, stderr: '' });
  });

  it('searches in a thread that finds the other packages as it does', async () => {
    writeFileSync(join(folder, 'found.txt'), 'one\nneedle\n');
    const call = { type: 'tool_call' as const, name: 'search', arguments: { pattern: 'needle' } };
    const replies = [{ parts: [call] }, { parts: [{ type: 'text' as const, text: 'done' }] }];
    await using server = await startMock({ scenario: { turns: [{ replies }] } });
    // Without ripgrep.
    const child = spawnCli(['exec', '--json', '--tools', 'read', ...at(server), 'hi'], { PATH: '' }, folder);
    const { stdout } = await resultOf(child);
    expect(linesOf(stdout).find(({ type }) => type === 'tool.finished')).toMatchObject({
      output: 'found.txt:2:needle',
    });
  });
});
