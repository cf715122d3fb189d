/** Signals and a terminal that is gone: no process is left behind, the terminal is as it was, and the conversation goes on. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Tmux } from '../../test/terminal/tmux.ts';
import { main, skip } from './chat-in-tmux.ts';

const CHAT = `'${process.execPath}' '${main}' chat`;
/** Is told once the conversation is open; the first frame comes before. */
const OPEN = /^ +sandbox +/m;
/** Keys pressed so soon after a question do not answer it. */
const GUARD_MS = 500;

/** How long the tools of a test sleep: far longer than it takes, and as nothing else on this machine does. */
const secondsOf = (test: number): string => `4000.${process.pid}${test}`;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  readonly args: string;
}

function processes(): Process[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).trimEnd().split('\n');
  return rows.map((row) => {
    const [pid = '', parent = '', state = '', ...args] = row.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), state, args: args.join(' ') };
  });
}

/** A process cannot be awaited by others: one looks again; the test's timeout is the bound. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(50);
}

interface OpenShell extends Disposable {
  readonly tmux: Tmux;
  /** The process that the shell runs now. */
  readonly child: () => number;
  /** Types a line. */
  readonly run: (line: string) => void;
}

/** A shell with jobs, as people have it. */
function openShell(cwd: string): OpenShell {
  const tmux = new Tmux({ cwd, command: "PS1='$ ' exec bash --norc --noprofile -i", rows: 50 });
  return {
    tmux,
    child() {
      const shell = Number(tmux.tell('#{pane_pid}'));
      const found = processes().filter(({ parent }) => parent === shell);
      assert.equal(found.length, 1);
      return found[0]?.pid ?? 0;
    },
    run(line) {
      tmux.type(line);
      tmux.send('Enter');
    },
    [Symbol.dispose]: () => tmux.end(),
  };
}

interface Folder extends Disposable {
  readonly cwd: string;
}

function openFolder(): Folder {
  const cwd = mkdtempSync(join(tmpdir(), 'turnwire-signals-'));
  return { cwd, [Symbol.dispose]: () => rmSync(cwd, { recursive: true, force: true }) };
}

let marks = 0;

/** Something that a shell prints and no screen has had before; in quotes, so that what is typed is not it. */
function newMark(): { readonly shown: string; readonly echo: string } {
  const number = ++marks;
  return { shown: `mark ${number}`, echo: `echo "mark ""${number}"` };
}

/** What tells the modes of the terminal that a program may have changed. */
async function modes({ tmux, run }: OpenShell): Promise<string> {
  const { shown, echo } = newMark();
  run(`clear; stty -a; ${echo}`);
  await tmux.until(shown);
  const words = tmux.screen().match(/-?\b(?:icanon|echo|isig|ixon|icrnl|opost)\b/g) ?? [];
  return [...words, tmux.tell('#{cursor_flag} #{keypad_flag} #{alternate_on}')].join(' ');
}

/** A chat whose model runs a command that does not end; the pid of that. */
async function withTool(shell: OpenShell, seconds: string): Promise<{ chat: number; tool: number }> {
  const { tmux } = shell;
  shell.run(CHAT);
  await tmux.until(OPEN);
  const chat = shell.child();
  tmux.send(`/call shell {"command":"sleep ${seconds}"}`, 'Enter');
  await tmux.until('? Run shell');
  await sleep(GUARD_MS);
  tmux.send('y');
  const tool = (): Process | undefined => processes().find(({ args }) => args === `sleep ${seconds}`);
  await until(() => tool() !== undefined);
  return { chat, tool: tool()?.pid ?? 0 };
}

const isGone = (pid: number): boolean => processes().every((one) => one.pid !== pid || one.state.startsWith('Z'));

await test('Ctrl-Z and SIGSTOP stop the chat, fg goes on', { skip }, async () => {
  using folder = openFolder();
  using shell = openShell(folder.cwd);
  const { tmux } = shell;
  const before = await modes(shell);
  shell.run(CHAT);
  await tmux.until(OPEN);
  const chat = shell.child();
  for (const stop of [() => tmux.send('C-z'), () => void process.kill(chat, 'SIGSTOP')]) {
    stop();
    await tmux.until(/Stopped[^]*\$/);
    // Who is stopped from outside does not read an answer of the terminal that is on its way: the shell takes it for typed.
    tmux.send('C-u');
    await tmux.until(/Stopped[^]*\$$/, () => tmux.screen().trimEnd());
    assert.match(processes().find(({ pid }) => pid === chat)?.state ?? '', /^T/);
    const { shown, echo } = newMark();
    // The input line of the chat that stopped stands on the screen until then.
    shell.run(`clear; ${echo}`);
    await tmux.until(shown);
    shell.run('fg');
    await tmux.until(/^›/m);
    tmux.type('still here');
    await tmux.until('› still here');
    // The cursor comes behind what it stands in.
    await tmux.until('12 1', () => tmux.tell('#{cursor_x} #{cursor_flag}'));
    tmux.send('C-c');
    await tmux.until(/›$/, () => tmux.screen().trimEnd());
  }
  tmux.send('C-d');
  await until(() => isGone(chat));
  assert.equal(await modes(shell), before);
});

for (const [at, signal] of (['SIGTERM', 'SIGHUP'] as const).entries()) {
  await test(`${signal} ends the chat and its tool, and gives the terminal back`, { skip }, async () => {
    using folder = openFolder();
    using shell = openShell(folder.cwd);
    const { tmux } = shell;
    const before = await modes(shell);
    const { chat, tool } = await withTool(shell, secondsOf(at));
    process.kill(chat, signal);
    await tmux.until('To go on: turnwire chat --resume ');
    await until(() => isGone(chat) && isGone(tool));
    assert.equal(await modes(shell), before);
    await assertResumes(shell, secondsOf(at));
  });
}

await test('a terminal that is gone ends the chat and its tool', { skip }, async () => {
  using folder = openFolder();
  const { chat, tool } = await withTerminal(folder.cwd);
  await until(() => isGone(chat) && isGone(tool));
  using shell = openShell(folder.cwd);
  await assertResumes(shell, secondsOf(2));
});

/** Closes the terminal while a tool runs. */
async function withTerminal(cwd: string): Promise<{ chat: number; tool: number }> {
  using shell = openShell(cwd);
  return await withTool(shell, secondsOf(2));
}

/** The conversation is there, says that the call did not end well, and takes the next message. */
async function assertResumes(shell: OpenShell, seconds: string): Promise<void> {
  const { tmux } = shell;
  shell.run(`clear; ${CHAT} --resume last`);
  await tmux.until(new RegExp(`⊘ shell sleep ${seconds}`));
  tmux.send('/say', 'Space', 'on we go', 'Enter');
  // The answer, not what was typed.
  await tmux.until(/^on we go$/m);
  tmux.send('C-d');
  await tmux.until('To go on: ');
}
