import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Agent, createTools, ThreadStore } from '../../packages/agent/src/index.ts';
import { shortHistory, temporaryFolder, testTool } from '../agent/helpers.ts';
import { answer, call, calls, ScriptedModel, usage } from '../agent/scripted-model.ts';
import type { ChatBackend } from '../../turnwire/src/terminal/index.ts';
import { gate, keys, startChat, transcript, type RunningChat } from './harness.ts';

const GUARD_MS = 500;

async function asked(): Promise<RunningChat & { runs: () => number }> {
  const tool = testTool('danger', () => 'ran', { needsApproval: true });
  const chat = await startChat(
    [calls(call('danger', { n: 1 })), answer('First.'), calls(call('danger', { n: 1 }, 'call_2')), answer('Second.')],
    {
      tools: [tool],
      rows: 40,
    },
  );
  chat.say('go');
  await chat.terminal.until('deny and say why');
  return { ...chat, runs: () => tool.runs };
}

const outputs = (chat: RunningChat, request: number): string[] =>
  shortHistory(chat.model.requests[request]?.input ?? []).filter((line) => line.startsWith('output'));

describe('the question before a tool runs', () => {
  it('shows what it is about, and what “this session” would allow', async () => {
    const chat = await asked();
    expect(transcript(chat.terminal.screen())).toEqual([
      '› go',
      '? Run danger: danger 1',
      'test',
      '“This session” would allow exactly:',
      '  danger:1',
      '› y  once',
      '  s  for this session',
      '  n  deny',
      '  w  deny and say why',
    ]);
    expect(chat.runs()).toBe(0);
  });

  it('is no sooner answered than it can be read', async () => {
    const chat = await asked();
    chat.terminal.press('y', keys.enter);
    await new Promise(setImmediate);
    expect(chat.runs()).toBe(0);
    expect(chat.app.view.phase).not.toBe('idle');
  });

  it('once: asks again the next time', async () => {
    const chat = await asked();
    chat.clock.pass(GUARD_MS);
    chat.terminal.press('y');
    await chat.idle();
    expect(chat.runs()).toBe(1);
    chat.say('again');
    await chat.terminal.until('deny and say why');
    expect(chat.runs()).toBe(1);
  });

  it('session: does not ask about the same again', async () => {
    const chat = await asked();
    chat.clock.pass(GUARD_MS);
    chat.terminal.press(keys.down, keys.enter);
    await chat.idle();
    chat.say('again');
    await chat.idle();
    expect(chat.runs()).toBe(2);
    expect(transcript(chat.terminal.screen()).at(-1)).toBe('Second.');
  });

  it('deny: the model is told, the turn goes on', async () => {
    const chat = await asked();
    chat.clock.pass(GUARD_MS);
    chat.terminal.press('n');
    await chat.idle();
    expect(chat.runs()).toBe(0);
    expect(outputs(chat, 1)).toEqual([expect.stringContaining('the user said no')]);
    expect(transcript(chat.terminal.screen())).toContain('⊘ danger 1 denied');
  });

  it('deny and say why: the model is told the reason', async () => {
    const chat = await asked();
    chat.clock.pass(GUARD_MS);
    chat.terminal.press('w');
    await chat.terminal.until('Why not?');
    chat.say('use the other one');
    await chat.idle();
    expect(chat.runs()).toBe(0);
    expect(outputs(chat, 1)).toEqual([expect.stringContaining('use the other one')]);
  });

  it('goes away with the turn, and its keys are text again', async () => {
    const chat = await asked();
    chat.clock.pass(GUARD_MS);
    chat.terminal.press(keys.escape);
    await chat.idle();
    chat.terminal.type('yes');
    await chat.terminal.until('› yes');
    expect(chat.terminal.screen().join('\n')).not.toContain('deny and say why');
    expect(chat.runs()).toBe(0);
  });

  it('leaves a line alone that is being typed', async () => {
    const held = gate();
    const tool = testTool('danger', () => 'ran', { needsApproval: true });
    const chat = await startChat([[held.wait, ...calls(call('danger', {}))], answer('x')], { tools: [tool] });
    chat.say('go');
    await chat.terminal.until('waiting');
    chat.terminal.type('sa');
    held.open();
    await chat.terminal.until('To answer, send or clear your line first.');
    chat.clock.pass(GUARD_MS);
    chat.terminal.type('y nothing');
    await chat.terminal.until('› say nothing');
    expect(tool.runs).toBe(0);
  });

  it('shows every character of a command, and says what does not fit', async () => {
    const command = `echo one\necho two\u0008\u0008\u001b[2K\u202e\u00a0\u2028${'\necho more'.repeat(100)}`;
    const tools = await createTools({ cwd: await temporaryFolder(), select: 'all', env: {} });
    const chat = await startChat([calls(call('shell', { command })), answer('x')], { tools, rows: 30 });
    chat.say('go');
    await chat.terminal.until('deny and say why');
    const rows = transcript(chat.terminal.screen());
    // No line of the command has a row of its own: it could be taken for one of ours.
    const question = rows
      .slice(rows.findIndex((row) => row.startsWith('? Run shell: ')))
      .map((row) => row.replace(/^ {2}│ /, ''))
      .join('');
    expect(question).toContain('two\\u{8}\\u{8}\\u{1b}[2K\\u{202e}\\u{a0}\\u{2028}\\necho');
    expect(rows.find((row) => row.includes('more lines than this terminal shows'))).toBeDefined();
  });

  it('comes after the diff of a patch', async () => {
    const cwd = await temporaryFolder();
    const patch = '*** Begin Patch\n*** Add File: new.txt\n+hello\n*** End Patch';
    const tools = await createTools({ cwd, select: 'all', env: {} });
    const chat = await startChat([calls(call('apply_patch', { input: patch })), answer('Written.')], {
      tools,
      rows: 40,
      columns: 120,
    });
    chat.say('go');
    await chat.terminal.until('deny and say why');
    const rows = transcript(chat.terminal.screen());
    expect(rows.findIndex((row) => row.includes('+hello'))).toBeLessThan(
      rows.findIndex((row) => row.startsWith('? Run apply_patch')),
    );
    expect(chat.terminal.lookOf('+hello')).toMatchObject({ colour: 2 });
  });
});

describe('messages while the agent works', () => {
  it('are queued where one sees them, can be edited, and go in at the next request', async () => {
    const held = gate();
    const chat = await startChat([[held.wait, ...calls(call('look', {}))], answer('Both heard.')], {
      tools: [testTool('look', () => 'x')],
    });
    chat.say('go');
    await chat.terminal.until('waiting');
    chat.say('also this');
    await chat.terminal.until('⧗ also this');
    chat.terminal.press(keys.up);
    await chat.terminal.until('› also this');
    expect(chat.terminal.screen().join('\n')).not.toContain('⧗');
    chat.terminal.type(' and that');
    chat.terminal.press(keys.enter);
    await chat.terminal.until('⧗ also this and that');
    held.open();
    await chat.idle();
    expect(shortHistory(chat.model.requests[1]?.input ?? []).at(-1)).toBe('user: also this and that');
    expect(transcript(chat.terminal.all())).toEqual(['› go', '✓ look · x', '› also this and that', 'Both heard.']);
  });

  it('stay in the queue after an interrupt, and Enter sends them', async () => {
    const chat = await startChat([[() => new Promise(() => undefined)], answer('Now.')]);
    chat.say('go');
    await chat.terminal.until('waiting');
    chat.say('later');
    await chat.terminal.until('⧗ later');
    chat.terminal.press(keys.escape);
    await chat.idle();
    expect(chat.terminal.screen().join('\n')).toContain('⧗ later');
    chat.terminal.press(keys.enter);
    await chat.terminal.until('Now.');
    expect(chat.terminal.screen().join('\n')).not.toContain('⧗');
  });
});

describe('what was queued before an interrupt', () => {
  it('comes before what is written after it', async () => {
    const chat = await startChat([[() => new Promise(() => undefined)], answer('Both.')]);
    chat.say('go');
    await chat.terminal.until('waiting');
    chat.say('first');
    await chat.terminal.until('⧗ first');
    chat.terminal.press(keys.escape);
    await chat.idle();
    chat.say('second');
    await chat.idle();
    const sent = shortHistory(chat.model.requests[1]?.input ?? []).filter((line) => line.startsWith('user'));
    expect(sent).toEqual(['user: go', 'user: first', 'user: second']);
  });
});

describe('the input line', () => {
  it('takes many lines, remembers what was sent, and pastes', async () => {
    const chat = await startChat([answer('One.'), answer('Two.'), answer('Three.')]);
    chat.terminal.type('first');
    chat.terminal.press(keys.newLine);
    chat.say('second');
    await chat.idle();
    expect(shortHistory(chat.model.requests[0]?.input ?? [])).toEqual(['user: first\nsecond']);
    chat.terminal.press(keys.up);
    await chat.terminal.until((rows) => rows.filter((row) => row.includes('second')).length === 2);
    chat.terminal.press(keys.enter);
    await chat.idle();
    expect(shortHistory(chat.model.requests[1]?.input ?? []).at(-1)).toBe('user: first\nsecond');
    const pasted = Array.from({ length: 30 }, (_, at) => `pasted ${at}`).join('\n');
    chat.terminal.press(`\x1b[200~${pasted}\x1b[201~`, keys.enter);
    await chat.idle();
    expect(shortHistory(chat.model.requests[2]?.input ?? []).at(-1)).toBe(`user: ${pasted}`);
  });

  it('gives the model what was pasted: tabs, the first indentation, and blank lines between', async () => {
    const chat = await startChat([answer('One.'), answer('Two.')]);
    chat.terminal.press(`\x1b[200~\tif x:\r\n\t\ty()\r\n\r\nz\tend\r\n\x1b[201~`);
    await chat.terminal.until('→→y()');
    chat.terminal.press(keys.enter);
    await chat.idle();
    const sent = 'user: \tif x:\n\t\ty()\n\nz\tend';
    expect(shortHistory(chat.model.requests[0]?.input ?? [])).toEqual([sent]);
    chat.terminal.press(keys.up, keys.enter);
    await chat.idle();
    expect(shortHistory(chat.model.requests[1]?.input ?? []).at(-1)).toBe(sent);
  });

  it('takes a paste that its terminal does not mark for one text, and waits for the person', async () => {
    const chat = await startChat([answer('One.')]);
    for (const line of ['all:', '\techo', 'end']) {
      chat.terminal.type(line);
      chat.terminal.press(keys.enter);
    }
    chat.clock.pass(50);
    await chat.terminal.until('end');
    expect(chat.model.requests).toEqual([]);
    expect(chat.terminal.screen().join('\n')).toContain('› all:\n  →echo\n  end');
    chat.terminal.press(keys.enter);
    await chat.idle();
    expect(shortHistory(chat.model.requests[0]?.input ?? [])).toEqual(['user: all:\n\techo\nend']);
  });

  it('sends what was typed before the chat began', async () => {
    const opening = gate();
    const model = new ScriptedModel(answer('One.'), answer('Two.'));
    const backend: Partial<ChatBackend> = {
      open: async (_what, approver) => {
        await opening.wait();
        return { agent: new Agent({ model, tools: [], approver }), notes: [] };
      },
    };
    // Lines of a terminal that is not raw yet end with a line feed.
    const chat = await startChat([], { backend, typedBefore: 'hello\n' });
    chat.clock.pass(50);
    await chat.terminal.until('⧗ hello');
    opening.open();
    await chat.idle();
    expect(shortHistory(model.requests[0]?.input ?? [])).toEqual(['user: hello']);
  });

  it('folds a long message on the screen', async () => {
    const chat = await startChat([answer('One.')], { rows: 60 });
    const lines = Array.from({ length: 500 }, (_, at) => `pasted ${at}`);
    chat.terminal.press(`\x1b[200~${lines.join('\n')}\x1b[201~`, keys.enter);
    await chat.idle();
    expect(transcript(chat.terminal.all())).toEqual([
      '› pasted 0',
      ...lines.slice(1, 12).map((line) => `  ${line}`),
      '  … 484 more lines (ctrl+o: all of them)',
      ...lines.slice(-4).map((line) => `  ${line}`),
      'One.',
    ]);
  });

  it('has the cursor of the terminal where the next character goes, and draws none', async () => {
    const chat = await startChat([]);
    chat.terminal.type('日本x');
    await chat.terminal.until('› 日本x');
    const row = chat.terminal.screen().findLastIndex((line) => line.startsWith('›'));
    expect(chat.terminal.cursor()).toEqual({ row, column: 7 });
    chat.terminal.press('\x1b[D', '\x1b[D');
    chat.app.screen.renderNow();
    await chat.terminal.parsed();
    expect(chat.terminal.cursor()).toEqual({ row, column: 4 });
    expect(chat.terminal.written).not.toContain('\x1b[7m');
    expect(chat.terminal.written.lastIndexOf('\x1b[?25h')).toBeGreaterThan(
      chat.terminal.written.lastIndexOf('\x1b[?25l'),
    );
  });

  it('stays in its row when a question above it goes', async () => {
    const chat = await asked();
    const row = chat.terminal.cursor().row;
    chat.clock.pass(GUARD_MS);
    chat.terminal.press('y');
    await chat.idle();
    expect(chat.terminal.cursor().row).toBe(row);
  });

  it('completes commands and files', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'deep'));
    await writeFile(join(cwd, 'deep', 'needle.txt'), '');
    const chat = await startChat([], { backend: { cwd } });
    chat.terminal.type('/he');
    await chat.terminal.until('commands and keys');
    chat.terminal.press(keys.tab);
    await chat.terminal.until('› /help');
    chat.terminal.press(keys.ctrlC);
    chat.terminal.type('look at @need');
    await chat.terminal.until('deep/needle.txt');
    chat.terminal.press(keys.tab);
    await chat.terminal.until('› look at @deep/needle.txt');
  });

  it('leaves with Ctrl-D when it is empty, with Ctrl-C twice, and puts the cursor below', async () => {
    const one = await startChat([]);
    one.terminal.press(keys.ctrlD);
    expect(await one.end).toBe('done');
    const two = await startChat([]);
    two.terminal.press(keys.ctrlC);
    await two.terminal.until('Ctrl-C again to leave');
    two.terminal.press(keys.ctrlC);
    expect(await two.end).toBe('interrupted');
    await two.terminal.parsed();
    expect(transcript(two.terminal.screen())).toEqual([]);
  });
});

describe('commands', () => {
  it('tell and change the model, the provider, the cost', async () => {
    const chat = await startChat([answer('Hi.', { usage })], { rows: 50 });
    chat.say('/cost');
    await chat.terminal.until('Nothing was asked yet.');
    chat.say('/model big');
    await chat.terminal.until('big at test');
    chat.say('hello');
    await chat.idle();
    expect(chat.model.requests[0]?.model).toBe('big');
    chat.say('/cost');
    await chat.terminal.until('1 request: 10 tokens in (1 cached), 5 out (2 reasoning).');
    chat.say('/provider');
    await chat.terminal.until(/one\n +two/);
    chat.terminal.press(keys.ctrlC);
    chat.say('/provider one');
    await chat.terminal.until('one-model at one');
    chat.say('/nonsense');
    await chat.terminal.until('There is no command /nonsense');
    chat.say('/help');
    await chat.terminal.until(/\/compact +summarise/);
    expect(chat.model.requests).toHaveLength(1);
  });

  it('of the person are sent as the text that they stand for, listed and completed', async () => {
    const command = { name: 'fix-it', description: 'Mend a file', body: 'Mend $ARGUMENTS.', path: '/x/fix-it.md' };
    const chat = await startChat([answer('Done.')], { rows: 60, backend: { commands: [command] } });
    chat.terminal.type('/fi');
    await chat.terminal.until(/fix-it +Mend a file/);
    chat.terminal.press(keys.tab);
    await chat.terminal.until('› /fix-it');
    chat.say('a.ts b.ts');
    await chat.idle();
    expect(chat.model.requests.map(({ input }) => input)).toEqual([
      [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Mend a.ts b.ts.' }] }],
    ]);
    chat.say('/fix-this');
    await chat.terminal.until('There is no command /fix-this');
    chat.say('/help');
    await chat.terminal.until(/\/fix-it +Mend a file/);
  });

  it('begin, resume and fork conversations, and compact one', async () => {
    const folder = await temporaryFolder();
    const store = new ThreadStore(folder);
    const model = new ScriptedModel(
      answer('Kept.'),
      answer('Long. '.repeat(80)),
      answer('A summary.'),
      answer('Other.'),
    );
    const chat = await startChat([], {
      rows: 60,
      backend: {
        threads: () => store.list(),
        async open(what, approver) {
          const thread = what.type === 'new' ? store.create(folder) : await store[what.type](what.id);
          return { agent: new Agent({ model, approver, thread }), notes: [] };
        },
      },
    });
    const idle = async (text: string): Promise<void> => {
      await chat.terminal.until(text);
      await chat.idle();
    };
    chat.say('remember me');
    await idle('Kept.');
    const [first] = await store.list();
    chat.say('/new');
    await idle('A new conversation (');
    chat.say(`/resume ${first?.id ?? ''}`);
    await idle(`Going on with a conversation (${first?.id ?? ''}).`);
    const rows = transcript(chat.terminal.screen());
    expect(rows.slice(rows.findIndex((row) => row.includes('Going on')))).toEqual([
      `· Going on with a conversation (${first?.id ?? ''}).`,
      '› remember me',
      'Kept.',
    ]);
    chat.say('/fork');
    await idle('Going on in a copy (');
    chat.say('/undo');
    await idle('There is no patch to take back.');
    chat.say('more');
    await idle('Long.');
    chat.say('/compact');
    await idle('The conversation was summarised: 4 items became 3.');
    chat.say('/resume nothing');
    await idle('there is no thread nothing');
  });

  it('help out when the conversation that was asked for cannot be opened: nothing that was typed is lost', async () => {
    const model = new ScriptedModel(answer('Hello.'));
    let fails = true;
    const chat = await startChat([], {
      backend: {
        open: async (_what, approver) => {
          await Promise.resolve();
          if (fails) throw new Error('it is open elsewhere');
          return { agent: new Agent({ model, approver }), notes: [] };
        },
      },
    });
    await chat.terminal.until('it is open elsewhere');
    chat.say('my long question');
    await chat.terminal.until('No conversation is open: /new begins one');
    await chat.idle();
    expect(chat.terminal.screen().map((row) => row.trimEnd())).toContain('› my long question');
    fails = false;
    chat.terminal.press(keys.ctrlC);
    chat.say('/new');
    await chat.idle();
    chat.say('hi');
    await chat.terminal.until('Hello.');
  });

  it('that change something wait for the turn', async () => {
    const chat = await startChat([[() => new Promise(() => undefined)]]);
    chat.say('go');
    await chat.terminal.until('waiting');
    chat.say('/new');
    await chat.terminal.until('/new has to wait');
    expect(chat.agents).toHaveLength(1);
  });
});
