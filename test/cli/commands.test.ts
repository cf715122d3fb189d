import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { commands } from '../../turnwire/src/cli/commands.ts';
import { contextOf } from '../../turnwire/src/cli/context.ts';
import { runCli } from '../../turnwire/src/cli/run.ts';
import { resultOf, root, runInProcess, spawnCli } from './harness.ts';

/** Commands that are groups of others, with those. */
const groups: Readonly<Record<string, readonly string[]>> = {
  tape: ['show', 'report', 'shrink', 'from-trace'],
  mcp: ['login', 'logout', 'list'],
};

/** Every command that does something. */
const whole = commands.flatMap(({ name }) => groups[name]?.map((part) => `${name} ${part}`) ?? [name]);

describe('help', () => {
  it.each(Object.entries(groups))('of %s lists its commands, with an example', async (name, parts) => {
    const { code, stdout } = await runInProcess([name, '--help']);
    for (const part of parts) expect(stdout).toMatch(new RegExp(`^  ${part}\\b`, 'm'));
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Example:\n {2}\S/m)]);
    expect((await runInProcess(['help', name])).stdout).toBe(stdout);
  });

  it('lists every command', async () => {
    const { code, stdout, stderr } = await runInProcess(['--help']);
    for (const { name } of commands) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await runInProcess(['help'])).stdout).toBe(stdout);
  });

  it.each(whole)('of %s shows each flag with its default and an example', async (name) => {
    const { code, stdout, stderr } = await runInProcess([...name.split(' '), '--help']);
    expect(stdout).toContain(`Usage: turnwire ${name}`);
    expect(stdout).toMatch(/^Example:\n {2}\S/m);
    const options = stdout.slice(stdout.indexOf('Options:'), stdout.indexOf('Example:'));
    const flags = options.split(/\n {2}(?=-)/).slice(1);
    expect(flags.length).toBeGreaterThan(1);
    for (const flag of flags) if (!flag.startsWith('-h')) expect(flag.replaceAll(/\s+/g, ' ')).toMatch(/default: ./);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    if (!name.includes(' ')) expect((await runInProcess(['help', name])).stdout).toBe(stdout);
  });
});

describe('docs/cli.md', () => {
  const page = readFileSync(join(root, 'docs', 'cli.md'), 'utf8');
  const [common = '', ...sections] = page.split(/^## (?=turnwire )/m);

  it.each(whole)('tells every flag of %s', async (name) => {
    const section = sections.find((text) => new RegExp(`^turnwire ${name}\\b`).test(text)) ?? '';
    const { stdout } = await runInProcess([...name.split(' '), '--help']);
    const flags = [...stdout.matchAll(/^ {2}(--[\w-]+)/gm)].map(([, flag = '']) => flag);
    expect(flags.filter((flag) => !`${common}${section}`.includes(flag))).toEqual([]);
    expect(section).not.toBe('');
  });
});

describe('wrong usage', () => {
  it.each([
    [['decoed'], "turnwire: unknown command 'decoed' (Did you mean decode?) (see turnwire --help)\n"],
    [['help', 'decoed'], "turnwire: unknown command 'decoed' (Did you mean decode?) (see turnwire --help)\n"],
    [['--nonsense'], "turnwire chat: unknown option '--nonsense' (see turnwire chat --help)\n"],
    [['exec', '--max-requests', '0', 'hi'], /^turnwire exec: .* A whole number of at least 1 is wanted\..*\n$/],
    [['exec', ' '], 'turnwire exec: the prompt is empty\n'],
    [['exec', '-'], 'turnwire exec: no prompt: stdin is empty\n'],
    [['exec', '--api-key-stdin', 'hi'], 'turnwire exec: --api-key-stdin: the first line of stdin is empty\n'],
    [['exec', '--instructions', '@none', 'hi'], 'turnwire exec: --instructions: cannot read none: no such file\n'],
    [['exec', '--output-schema', 'none', 'hi'], 'turnwire exec: --output-schema: cannot read none: no such file\n'],
    [
      ['exec', '--output-schema', 'chat-plain.sse', 'hi'],
      'turnwire exec: --output-schema: chat-plain.sse holds no JSON object\n',
    ],
    [
      ['exec', '--image', 'none.png', 'hi'],
      'turnwire exec: --image: none.png cannot be read as a PNG, JPEG, GIF or WebP image\n',
    ],
    [
      ['exec', ...Array.from({ length: 11 }, () => '--image=a.png'), 'hi'],
      'turnwire exec: --image: 11 images; at most 10 are sent\n',
    ],
    [['mock', '--fault', 'finish-then-hol'], /^turnwire mock: .*finish-then-hol.*did you mean finish-then-hold.*\n$/],
    [['mock', '--scenario', 'reasonin'], /^turnwire mock: .*reasonin.*did you mean reasoning.*\n$/],
    [['mock', '--port', '65536'], 'turnwire mock: cannot listen on port 65536: ports end at 65535\n'],
  ])('%j is one line and exit 2', async (args, message) => {
    const { code, stdout, stderr } = await runInProcess(args);
    if (typeof message === 'string') expect(stderr).toBe(message);
    else expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('in a working directory that is gone', () => {
  const run = async (...args: readonly string[]) => {
    const streams = { stdin: new PassThrough().end(), stdout: new PassThrough(), stderr: new PassThrough() };
    const cwd = (): never => {
      throw Object.assign(new Error('ENOENT: process.cwd failed'), { code: 'ENOENT', syscall: 'uv_cwd' });
    };
    const values = { ...streams, argv: ['node', 'turnwire', ...args], cwd };
    const gone = Object.create(
      process,
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }])),
    ) as NodeJS.Process;
    const code = await runCli(contextOf(gone));
    const [stdout, stderr] = [streams.stdout, streams.stderr].map((stream) => text(stream.end()));
    return { code, stdout: await stdout, stderr: await stderr };
  };

  it.each(['--version', ...whole.map((name) => `${name} --help`)])('%s answers as ever', async (line) => {
    const args = line.split(' ');
    expect(await run(...args)).toEqual(await runInProcess(args));
  });

  it('a command that needs it says so', async () => {
    expect(await run('exec', 'hi')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'turnwire exec: the working directory is gone: change into another one, and try again\n',
    });
  });
});

describe('the process', () => {
  it('shows its version and ends with the exit code', async () => {
    const results = await Promise.all([resultOf(spawnCli(['--version'])), resultOf(spawnCli(['exec', '--no-such']))]);
    expect(results[0]).toMatchObject({ code: 0, stderr: '' });
    expect(results[0].stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(results[1]).toMatchObject({ code: 2, stdout: '' });
    expect(results[1].stderr).toMatch(/^turnwire exec: unknown option '--no-such'.*\n$/);
  });
});
