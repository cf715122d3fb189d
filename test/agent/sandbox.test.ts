import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  createTools,
  noSandbox,
  openSandbox,
  type Sandbox,
  type ToolPlan,
  type ToolResult,
} from '../../packages/agent/src/index.ts';
import { trustedFolders } from '../../packages/agent/src/sandbox/paths.ts';
import { freeEnvironment } from '../../packages/agent/src/tools/read-only/free-environment.ts';
import { Workspace } from '../../packages/agent/src/workspace.ts';
import { Scratch } from '../../packages/agent/src/sandbox/scratch.ts';
import { seatbelt, seatbeltProfile } from '../../packages/agent/src/sandbox/seatbelt.ts';
import type { View } from '../../packages/agent/src/sandbox/view.ts';
import { commandLines, temporaryFolder } from './helpers.ts';
import { needSandbox } from './sandbox-support.ts';

const PATH = '/usr/local/bin:/usr/bin:/bin';

interface Place {
  /** The working directory, in the home. */
  readonly cwd: string;
  readonly home: string;
}

/** A home with a secret, and a project in it. */
async function somewhere(): Promise<Place> {
  const home = await temporaryFolder();
  const cwd = join(home, 'project');
  await mkdir(join(cwd, '.git', 'hooks'), { recursive: true });
  await writeFile(join(cwd, 'inside.txt'), 'inside\n');
  await writeFile(join(home, 'secret.txt'), 'sesame\n');
  return { cwd, home };
}

async function planOf({ cwd, home }: Place, args: object, sandbox?: Sandbox): Promise<ToolPlan> {
  const env = { PATH, HOME: home };
  const tools = await createTools({ cwd, env, sandbox: sandbox ?? (await openSandbox({ cwd, env })) });
  const shell = tools.find((tool) => tool.name === 'shell')!;
  return shell.plan({ type: 'json', value: args }, { signal: new AbortController().signal });
}

async function run(place: Place, args: object, signal = new AbortController().signal): Promise<ToolResult> {
  return (await planOf(place, args)).run({ signal, output: () => undefined });
}

/** The same wall as for commands that nobody is asked about, around one that the list would not let pass. */
async function runFree(place: Place, command: string): Promise<ToolResult> {
  const env = { PATH, HOME: place.home };
  const sandbox = await openSandbox({ cwd: place.cwd, env, level: 'read-only' });
  return (await planOf(place, { command }, sandbox)).run({
    signal: new AbortController().signal,
    output: () => undefined,
  });
}

describe('a command that nobody is asked about', () => {
  beforeEach(({ skip }) => needSandbox(skip));

  test('runs read-only, whatever level is chosen for the others', async () => {
    const place = await somewhere();
    expect(await planOf(place, { command: 'cat inside.txt' })).toMatchObject({ sandbox: 'read-only' });
    expect((await planOf(place, { command: 'cat inside.txt' })).approval).toBeUndefined();
    expect(await planOf(place, { command: 'touch x' })).toMatchObject({ sandbox: 'workspace' });
    expect(await run(place, { command: 'cat inside.txt' })).toEqual({
      output: 'exit code 0\ninside\n',
      ok: true,
      exitCode: 0,
    });
  });

  test('writes nowhere', async () => {
    const place = await somewhere();
    const targets = [place.cwd, place.home, '/', '/usr', '/etc', '/opt', '/var', '/run', '/proc/sys/kernel'];
    const command = targets
      .map((folder) => `(echo x > ${folder}/tw-canary) 2>/dev/null && echo wrote ${folder}`)
      .join('\n');
    expect((await runFree(place, `${command}\necho done`)).output).toBe('exit code 0\ndone\n');
    for (const folder of targets) await expect(access(join(folder, 'tw-canary'))).rejects.toThrow();
  });

  test('has a temporary folder of its own, which is gone with it', async () => {
    const place = await somewhere();
    const command = 'ls -A $TMPDIR | grep -v tw-; echo x > $TMPDIR/tw-canary && cat /tmp/tw-canary';
    expect((await runFree(place, command)).output).toContain('exit code 0\n');
    await expect(access('/tmp/tw-canary')).rejects.toThrow('ENOENT');
  });

  test('does not see the home, but for the working directory, nor secrets of the system', async () => {
    const place = await somewhere();
    await symlink(join(place.home, 'secret.txt'), join(place.cwd, 'link'));
    const command = 'cat link ../secret.txt; ls -A $HOME; cat inside.txt; ls /etc/shadow /root/.bashrc /var/log';
    const { output } = await runFree(place, command);
    expect(output).not.toContain('sesame');
    expect(output).toMatch(/^project$/m);
    expect(output).toMatch(/^inside$/m);
    for (const path of ['/etc/shadow', '/root/.bashrc', '/var/log'])
      expect(output).toContain(`'${path}': No such file`);
  });

  test('reaches no server of this machine', async () => {
    let connections = 0;
    const server = createServer(() => (connections += 1)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { output } = await runFree(await somewhere(), `exec 3<>/dev/tcp/127.0.0.1/${port}`);
    expect(output).toContain('Connection refused');
    expect(connections).toBe(0);
  });

  test('sees no other process and nothing of its environment', async () => {
    const place = await somewhere();
    const command = 'cat /proc/[0-9]*/environ | tr "\\0" "\\n"; for p in /proc/[0-9]*; do echo pid ${p#/proc/}; done';
    const { output } = await runFree(place, command);
    expect(output).not.toContain('VITEST');
    expect(output).toContain(`HOME=${place.home}`);
    expect(output.match(/^pid \d+$/gm)!.length).toBeLessThan(10);
    expect(output).not.toContain(`pid ${process.pid}\n`);
  });

  test('has no rights beyond those of a user, and gets no new ones', async () => {
    const { output } = await runFree(await somewhere(), 'grep -E "Cap(Eff|Bnd)|NoNewPrivs" /proc/self/status');
    expect(output.split('\n').slice(1, 4)).toEqual([
      'CapEff:\t0000000000000000',
      'CapBnd:\t0000000000000000',
      'NoNewPrivs:\t1',
    ]);
  });

  test('is not a program that the project brings', async () => {
    const place = await somewhere();
    const bin = join(place.cwd, 'node_modules', '.bin');
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, 'cat'), '#!/bin/sh\necho planted\n', { mode: 0o755 });
    const tools = await createTools({ cwd: place.cwd, env: { PATH: `${bin}:${PATH}`, HOME: place.home } });
    const shell = tools.find((tool) => tool.name === 'shell')!;
    const { signal } = new AbortController();
    const plan = await shell.plan({ type: 'json', value: { command: 'cat inside.txt' } }, { signal });
    expect((await plan.run({ signal, output: () => undefined })).output).toBe('exit code 0\ninside\n');
  });
});

describe('an approved command', () => {
  beforeEach(({ skip }) => needSandbox(skip));

  test('writes below the working directory and in its scratch folder, and nowhere else', async () => {
    const place = await somewhere();
    const command = [
      'echo x > made.txt',
      'echo y > $TMPDIR/scratch.txt && cat /tmp/scratch.txt',
      'echo z > $HOME/tw-canary; cat $HOME/secret.txt',
      'echo z > /usr/tw-canary',
      'exit 7',
    ].join('\n');
    const result = await run(place, { command });
    expect(result.exitCode).toBe(7);
    expect(result.output).toContain('\ny\n');
    expect(result.output).not.toContain('sesame');
    expect(result.output).toContain('/usr/tw-canary: Read-only file system');
    expect(await readFile(join(place.cwd, 'made.txt'), 'utf8')).toBe('x\n');
    expect((await readdir(place.home)).sort()).toEqual(['project', 'secret.txt']);
  });

  test('cannot change the hooks and settings of the repository', async () => {
    const place = await somewhere();
    const { output } = await run(place, { command: 'echo x > .git/hooks/pre-commit; mv .git .tig; rm -r .git' });
    expect(output).toContain('.git/hooks/pre-commit: Read-only file system');
    expect(await readdir(join(place.cwd, '.git'))).toEqual(['hooks']);
  });

  test('keeps its scratch files for the next command', async () => {
    const { cwd, home } = await somewhere();
    const env = { PATH, HOME: home };
    const sandbox = await openSandbox({ cwd, env });
    const { signal } = new AbortController();
    const both = ['echo kept > /tmp/note', 'cat < /tmp/note'].map(async (command) =>
      planOf({ cwd, home }, { command }, sandbox),
    );
    const results: string[] = [];
    for (const plan of both) results.push((await (await plan).run({ signal, output: () => undefined })).output);
    expect(results).toEqual(['exit code 0\n(no output)', 'exit code 0\nkept\n']);
  });

  test('at the level read-only writes nothing', async () => {
    const place = await somewhere();
    await runFree(place, 'touch made.txt');
    await expect(access(join(place.cwd, 'made.txt'))).rejects.toThrow('ENOENT');
  });

  test('runs in another folder when that was approved, and sees it', async () => {
    const place = await somewhere();
    const other = await realpath(await temporaryFolder());
    const result = await run(place, { command: 'pwd; echo x > made.txt; cat made.txt', cwd: other });
    expect(result.output).toBe(`exit code 0\n${other}\nx\n`);
  });

  test('is told how to leave when the sandbox may have stopped it, and only then', async () => {
    const place = await somewhere();
    const hint = 'call shell again with "sandbox": "off"';
    expect((await run(place, { command: 'touch /usr/x' })).output).toContain(hint);
    expect((await run(place, { command: 'cat < ~/secret.txt' })).output).toContain(hint);
    expect((await run(place, { command: 'echo hello; exit 1' })).output).toBe('exit code 1\nhello\n');
  });

  test('leaves only with a question of its own, which says so', async () => {
    const place = await somewhere();
    const inside = await planOf(place, { command: 'touch x' });
    const outside = await planOf(place, { command: 'touch x', sandbox: 'off', reason: 'it needs the network' });
    expect(outside).toMatchObject({
      sandbox: 'off',
      approval: {
        reason:
          "it runs OUTSIDE OF THE SANDBOX, with all your rights (the model's reason: it needs the network); touch is not on the list of read-only commands",
      },
    });
    expect(outside.approval?.rules).not.toEqual(inside.approval?.rules);
    expect((await planOf(place, { command: 'ls', sandbox: 'off' })).approval?.reason).toBe(
      'it runs OUTSIDE OF THE SANDBOX, with all your rights (the model gives no reason)',
    );
    const command = `cat ${join(place.home, 'secret.txt')}`;
    expect((await run(place, { command, sandbox: 'off' })).output).toBe('exit code 0\nsesame\n');
  });

  test('ends with all that it started: at its end, at the time limit, with an interrupt', async () => {
    const place = await somewhere();
    const mark = `1000.${process.pid}`;
    const alive = (): string[] => commandLines().filter((line) => line.includes(mark));
    await run(place, { command: `sleep ${mark}1 & setsid sleep ${mark}2 & echo started` });
    await expect.poll(alive).toEqual([]);
    const late = await run(place, { command: `setsid sleep ${mark}3 & sleep ${mark}4`, timeout_ms: 700 });
    expect(late.output).toMatch(/^stopped: it ran longer than 700 ms/);
    await expect.poll(alive).toEqual([]);
    const interrupt = new AbortController();
    const running = run(place, { command: `sleep ${mark}5` }, interrupt.signal);
    await expect.poll(alive, { timeout: 10_000 }).not.toEqual([]);
    interrupt.abort();
    expect((await running).output).toMatch(/^stopped: the user interrupted the turn/);
    await expect.poll(alive).toEqual([]);
  });
});

describe('the end of a sandbox', () => {
  beforeEach(({ skip }) => needSandbox(skip));

  // Its first process does not end with `bwrap` before all mounts are made: an interrupt by then left the command running.
  test('needs nobody but the process group: all of it is in the one that is killed', async () => {
    const place = await somewhere();
    const mark = `1001.${process.pid}`;
    const alive = (): string[] => commandLines().filter((line) => line.includes(mark));
    const groups = (): string[] =>
      execFileSync('ps', ['-eo', 'pgid=,args='], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => line.includes(mark))
        .map((line) => line.trim().split(' ')[0] ?? '');
    const interrupt = new AbortController();
    const running = run(place, { command: `true; sleep ${mark}` }, interrupt.signal);
    await expect
      .poll(() => alive().some((line) => line.includes(' sleep ') && !line.includes('bwrap')), { timeout: 10_000 })
      .toBe(true);
    expect(new Set(groups()).size).toBe(1);
    expect(groups().length).toBeGreaterThanOrEqual(3); // bwrap outside, bwrap inside, the command.
    interrupt.abort();
    await running;
    await expect.poll(alive).toEqual([]);
  });

  test('has no terminal to type into', async () => {
    expect((await runFree(await somewhere(), 'exec 3<>/dev/tty')).output).toContain(
      '/dev/tty: No such device or address',
    );
  });
});

describe('a working directory', () => {
  beforeEach(({ skip }) => needSandbox(skip));

  test('that is the home shows it without keys', async () => {
    const { home } = await somewhere();
    await mkdir(join(home, '.ssh'));
    await writeFile(join(home, '.ssh', 'id'), 'sesame\n');
    await writeFile(join(home, '.netrc'), 'sesame\n');
    const { output } = await runFree({ cwd: home, home }, 'cat .netrc .ssh/id; cat project/inside.txt');
    expect(output).not.toContain('sesame');
    expect(output).toMatch(/^inside$/m);
  });

  test('with a home in it shows the home, whether it exists or not', async () => {
    const { cwd } = await somewhere();
    for (const home of [join(cwd, '.home'), join(cwd, '.git'), '/nonexistent'])
      expect((await runFree({ cwd, home }, 'cat inside.txt')).output).toBe('exit code 0\ninside\n');
  });

  test('that is / can have no sandbox', async () => {
    expect(await openSandbox({ cwd: '/', env: { PATH } })).toMatchObject({ level: 'off', works: false });
  });

  test('is followed through links', async () => {
    const { cwd, home } = await somewhere();
    await symlink(cwd, join(home, 'link'));
    expect((await run({ cwd: join(home, 'link'), home }, { command: 'echo x > made && pwd -P' })).output).toContain(
      cwd,
    );
  });
});

describe('without a sandbox', () => {
  test('it says why', async () => {
    const cwd = await temporaryFolder();
    expect(await openSandbox({ cwd, env: { PATH: cwd } })).toMatchObject({
      level: 'off',
      works: false,
      problem: 'bubblewrap (the program bwrap) is not installed',
    });
    expect(await openSandbox({ cwd, env: { PATH }, platform: 'win32' })).toMatchObject({
      works: false,
      problem: 'there is none for win32',
    });
    expect(await openSandbox({ cwd, env: { PATH }, level: 'off' })).not.toHaveProperty('problem');
  });

  test('one that is there and does not work is none', async () => {
    const bin = await temporaryFolder();
    await writeFile(
      join(bin, 'bwrap'),
      '#!/bin/sh\necho "bwrap: setting up uid map: Permission denied" >&2\nexit 1\n',
      {
        mode: 0o755,
      },
    );
    expect(await openSandbox({ cwd: await temporaryFolder(), env: { PATH: bin } })).toMatchObject({
      works: false,
      problem: `${bin}/bwrap does not work here: bwrap: setting up uid map: Permission denied`,
    });
  });

  test('commands run as they are, and there is nothing to leave', async () => {
    const place = await somewhere();
    const plan = await planOf(place, { command: 'touch x', sandbox: 'off' }, noSandbox());
    expect(plan).toMatchObject({
      sandbox: 'off',
      approval: { reason: 'touch is not on the list of read-only commands' },
    });
  });
});

describe("the profile of macOS' sandbox-exec", () => {
  const view: View = { roots: ['/w "x"'], homes: ['/Users/me'], readable: [], secrets: [] };

  test('allows no network, and writes only at the level workspace', () => {
    const scratch = new Scratch();
    const reading = seatbeltProfile({ view, scratch }, { level: 'read-only', cwd: view.roots[0] });
    expect(reading).toContain('(version 1)\n(deny default)\n');
    expect(reading).not.toContain('network');
    expect(reading).not.toContain('allow file-write*');
    const writing = seatbeltProfile({ view, scratch }, { level: 'workspace', cwd: view.roots[0] });
    expect(writing).toContain(`(allow file-write*\n  (subpath "/w \\"x\\"")\n  (subpath "${scratch.folder}"))`);
  });

  test('is handed to it with the command behind', () => {
    const argv = seatbelt({ program: '/usr/bin/sandbox-exec', view, scratch: new Scratch() }, ['ls', '-l'], {
      level: 'read-only',
      cwd: view.roots[0],
    });
    expect(argv.slice(0, 2)).toEqual(['/usr/bin/sandbox-exec', '-p']);
    expect(argv.slice(-2)).toEqual(['ls', '-l']);
  });
});

test('programs that run unasked come from folders that neither the model nor the project can fill', async () => {
  const root = await realpath(await temporaryFolder());
  const [cwd, away] = [join(root, 'project'), join(root, 'away')];
  const npm = join(root, 'node_modules/.bin');
  for (const folder of [join(cwd, 'bin'), away, npm]) await mkdir(folder, { recursive: true });
  const linkTo = async (path: string, target: string): Promise<string> => {
    await symlink(target, path);
    return path;
  };
  const links = [
    await linkTo(join(root, 'in'), join(cwd, 'bin')),
    await linkTo(join(cwd, 'out'), away),
    await linkTo(join(root, 'of-npm'), npm),
    await linkTo(join(root, 'to-nothing'), join(cwd, 'later')),
    await linkTo(join(root, 'round'), join(root, 'round')),
  ];
  const untrusted = [cwd, join(cwd, 'bin'), 'bin', '.', '', npm, `${npm}//`, join(root, 'absent'), ...links];
  expect(trustedFolders(['/usr/bin', ...untrusted, away, '/bin', '/bin'].join(':'), [cwd])).toEqual([
    '/usr/bin',
    away,
    '/bin',
  ]);
  expect(trustedFolders(undefined, [cwd])).toEqual([]);
  expect(freeEnvironment({ PATH: [...untrusted, away].join(':') }, await Workspace.open(cwd))).toEqual({ PATH: away });
});
