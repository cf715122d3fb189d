import { stripTerminalSequences } from '@earendil-works/pi-tui';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineTool, type AgentTool, type PlanStep, type ToolPlan } from '../../packages/agent/src/index.ts';
import { unifiedDiff } from '../../packages/agent/src/patch/diff.ts';
import { createUpdatePlanTool } from '../../packages/agent/src/tools/update-plan.ts';
import { planLines } from '../../turnwire/src/terminal/plan-lines.ts';
import { createTheme } from '../../turnwire/src/terminal/theme.ts';
import { testTool } from '../agent/helpers.ts';
import { answer, call, calls } from '../agent/scripted-model.ts';
import { gate, keys, startChat, transcript, type RunningChat } from './harness.ts';

function tool(name: string, plan: ToolPlan): AgentTool {
  const schema = z.strictObject({});
  return defineTool({ name, description: name, kind: 'execute', schema, plan: () => Promise.resolve(plan) });
}

function printing(output: string, more: { ok?: boolean; exitCode?: number } = {}): AgentTool {
  const { ok = true, exitCode } = more;
  const result = { output, ok, ...(exitCode === undefined ? {} : { exitCode }) };
  return tool('shell', { title: 'make it', run: () => Promise.resolve(result) });
}

async function after(shell: AgentTool, rows = 40): Promise<RunningChat> {
  const chat = await startChat([calls(call('shell', {})), answer('Done.')], { tools: [shell], rows });
  chat.say('go');
  await chat.idle();
  return chat;
}

const lines = (count: number): string => Array.from({ length: count }, (_, at) => `out ${at}`).join('\n');

describe("the model's plan", () => {
  const steps = ['Find it', 'Mend it', 'Run the tests'];
  const planned = (done: number) =>
    call('update_plan', {
      plan: steps.map((step, at) => ({
        step,
        status: at < done ? 'completed' : at === done ? 'in_progress' : 'pending',
      })),
    });
  const texts = (rows: readonly string[]): string[] => rows.map((row) => row.trimEnd()).filter((row) => row !== '');

  it('stands below the transcript, is drawn in its place, and goes into the transcript when it is done', async () => {
    const [first, second] = [gate(), gate()];
    const script = [
      calls(planned(0)),
      [first.wait, ...calls(planned(1))],
      [second.wait, ...calls(planned(3))],
      answer('Mended.'),
    ];
    const chat = await startChat(script, { tools: [createUpdatePlanTool()] });
    chat.say('go');
    await chat.terminal.until('Plan · 0 of 3 done');
    expect(texts(chat.terminal.screen()).slice(0, 5)).toEqual([
      '› go',
      'Plan · 0 of 3 done',
      '  ▸ Find it',
      '  ○ Mend it',
      '  ○ Run the tests',
    ]);
    first.open();
    await chat.terminal.until('Plan · 1 of 3 done');
    expect(texts(chat.terminal.screen()).slice(0, 5)).toEqual([
      '› go',
      'Plan · 1 of 3 done',
      '  ✓ Find it',
      '  ▸ Mend it',
      '  ○ Run the tests',
    ]);
    second.open();
    await chat.idle();
    expect(transcript(chat.terminal.all())).toEqual([
      '› go',
      'Plan · 3 of 3 done',
      '  ✓ Find it',
      '  ✓ Mend it',
      '  ✓ Run the tests',
      'Mended.',
    ]);
  });

  it('makes room for a question', async () => {
    const held = gate();
    const risky = testTool('risky', () => 'ran', { needsApproval: true });
    const script = [calls(planned(0)), calls(call('risky', {})), [held.wait, ...answer('Done.')]];
    const chat = await startChat(script, { tools: [createUpdatePlanTool(), risky] });
    chat.say('go');
    await chat.terminal.until('deny and say why');
    expect(chat.terminal.screen().join('\n')).not.toContain('Plan ·');
    chat.clock.pass(400);
    chat.terminal.press('y');
    await chat.terminal.until('✓ risky');
    await chat.terminal.until('Plan · 0 of 3 done');
    held.open();
    await chat.idle();
  });

  it('shows of a long one what comes next, and fits into twenty columns', () => {
    const long = Array.from({ length: 9 }, (_, at): PlanStep => ({
      step: `step ${at} of many more than fit`,
      status: at < 5 ? 'completed' : 'pending',
    }));
    expect(
      planLines(long, { theme: createTheme({ colour: false }), width: 20 }, 3).map(stripTerminalSequences),
    ).toEqual(['Plan · 5 of 9 done', '  ✓ step 4 of many …', '  ○ step 5 of many …', '  ○ step 6 of many …']);
  });
});

describe('a finished tool', () => {
  it.each([
    ['prints nothing', printing('exit code 0\n(no output)', { exitCode: 0 }), '✓ shell make it'],
    ['prints a line', printing('exit code 0\nall good\n', { exitCode: 0 }), '✓ shell make it · all good'],
    ['prints more', printing(`exit code 0\n${lines(3)}\n`, { exitCode: 0 }), '✓ shell make it · 3 lines (ctrl+o)'],
    ['prints progress', printing('exit code 0\n10%\r100%\n', { exitCode: 0 }), '✓ shell make it · 100%'],
  ])('that was good and %s is one line', async (_, shell, line) => {
    const chat = await after(shell);
    expect(transcript(chat.terminal.all())).toEqual(['› go', line, 'Done.']);
  });

  it('that failed says how, and the first and the last of its lines why', async () => {
    const chat = await after(printing(`exit code 2\n${lines(20)}`, { ok: false, exitCode: 2 }));
    expect(transcript(chat.terminal.all())).toEqual([
      '› go',
      '✗ shell make it exit 2',
      '  ⎿ out 0',
      '    out 1',
      '    out 2',
      '    out 3',
      '    … 12 more lines (ctrl+o)',
      '    out 16',
      '    out 17',
      '    out 18',
      '    out 19',
      'Done.',
    ]);
  });

  it('that failed with one line without an end shows its beginning, and says so; unfolded, all that is kept', async () => {
    const chat = await after(printing(`exit code 2\n${'x'.repeat(39_000)}`, { ok: false, exitCode: 2 }));
    const row = 'x'.repeat(76);
    expect(transcript(chat.terminal.all())).toEqual([
      '› go',
      '✗ shell make it exit 2',
      `  ⎿ ${row}`,
      ...Array<string>(3).fill(`    ${row}`),
      '    … the rest of this line, of 39000 characters (ctrl+o)',
      'Done.',
    ]);
    chat.terminal.press(keys.ctrlO);
    await chat.terminal.until(/^(?!.*the rest)/s);
    const shown = transcript(chat.terminal.all()).filter((line) => /^ {2}[ ⎿] x+$/.test(line));
    expect(shown.map((line) => line.slice(4)).join('')).toBe('x'.repeat(39_000));
  });

  it('is unfolded in its place with Ctrl-O, all of it, and folded again', async () => {
    const chat = await after(printing(`exit code 0\n${lines(20)}`, { exitCode: 0 }));
    chat.terminal.press(keys.ctrlO);
    await chat.terminal.until('out 7');
    const all = lines(20).split('\n');
    expect(transcript(chat.terminal.all())).toEqual([
      '› go',
      '✓ shell make it',
      ...all.map((line, at) => (at === 0 ? `  ⎿ ${line}` : `    ${line}`)),
      'Done.',
    ]);
    chat.terminal.press(keys.ctrlO);
    await chat.terminal.until('20 lines (ctrl+o)');
    expect(transcript(chat.terminal.all())).toEqual(['› go', '✓ shell make it · 20 lines (ctrl+o)', 'Done.']);
  });

  it('that patched a file shows the diff, and not also that it was applied', async () => {
    const diff = unifiedDiff('f.txt', 'one\r\n', 'two\r\n');
    const change = { kind: 'update', path: '/f.txt', old_text: 'one\r\n', new_text: 'two\r\n', diff } as const;
    const run = () => Promise.resolve({ output: 'applied:\nM f.txt', ok: true });
    const chat = await after(tool('shell', { title: 'patch f.txt', changes: [change], run }));
    expect(transcript(chat.terminal.all())).toEqual([
      '› go',
      '✓ shell patch f.txt',
      '  --- f.txt (CRLF)',
      '  +++ f.txt (CRLF)',
      '  @@ -1 +1 @@',
      '  -one',
      '  +two',
      'Done.',
    ]);
  });

  it('that patched a line of megabytes shows what it changed of it', async () => {
    const [before, after_] = [`${'a'.repeat(2e6)}one${'b'.repeat(2e6)}\n`, `${'a'.repeat(2e6)}two${'b'.repeat(2e6)}\n`];
    const diff = unifiedDiff('f.js', before, after_);
    const change = { kind: 'update', path: '/f.js', old_text: before, new_text: after_, diff } as const;
    const run = () => Promise.resolve({ output: 'applied:\nM f.js', ok: true });
    const chat = await after(tool('shell', { title: 'patch f.js', changes: [change], run }));
    const shown = transcript(chat.terminal.all());
    expect(shown.length).toBeLessThan(20);
    const text = shown.join('').replaceAll(' ', '');
    const beside = '[…1999900characters,thesameinboth…]';
    for (const word of ['one', 'two'])
      expect(text).toContain(`${beside}${'a'.repeat(100)}${word}${'b'.repeat(100)}${beside}`);
  });
});

describe('the status line', () => {
  it('says which tool runs and for how long, and whom it waits for', async () => {
    const held = gate();
    const run = async () => (await held.wait(), { output: 'x', ok: true });
    const shell = tool('shell', { title: 'make it', approval: { reason: 'test', rules: [] }, run });
    const chat = await startChat([calls(call('shell', {})), answer('Done.')], { tools: [shell] });
    chat.say('go');
    await chat.terminal.until('waiting for you (esc)');
    // The time of the person is nobody's.
    chat.clock.pass(7000);
    chat.terminal.press('y');
    await chat.terminal.until(/running shell [0-3]s \(esc\)/);
    chat.clock.pass(4000);
    chat.app.screen.requestRender();
    await chat.terminal.until(/running shell [4-7]s \(esc\)/);
    held.open();
    await chat.idle();
    expect(transcript(chat.terminal.all())).toEqual(['› go', '✓ shell make it · x', 'Done.']);
  });

  it('counts the others that run', async () => {
    const held = gate();
    const one = testTool('one', () => held.wait().then(() => 'x'));
    const script = [calls(call('one', {}, 'a'), call('one', {}, 'b'), call('one', {}, 'c')), answer('Done.')];
    const chat = await startChat(script, { tools: [one] });
    chat.say('go');
    await chat.terminal.until('running one and 2 more');
    held.open();
    await chat.idle();
  });
});

describe('a conversation that goes on', () => {
  it('shows each call as it was', async () => {
    const tools = [
      printing('exit code 0\nall good\n', { exitCode: 0 }),
      tool('deny', {
        title: 'never this',
        approval: { reason: 'test', rules: [] },
        run: () => Promise.reject(new Error()),
      }),
      tool('fail', { title: 'break it', run: () => Promise.resolve({ output: 'no way', ok: false }) }),
    ];
    const script = [
      calls(call('shell', {}, 'a')),
      calls(call('deny', {}, 'b')),
      calls(call('fail', {}, 'c')),
      answer('Ok.'),
    ];
    const chat = await startChat(script, {
      tools,
      rows: 60,
      backend: { threads: () => Promise.resolve([]) },
    });
    chat.say('go');
    await chat.terminal.until('? Run deny');
    chat.clock.pass(1000);
    chat.terminal.press('n');
    await chat.idle();
    const [agent] = chat.agents;
    const told = transcript(chat.terminal.all());
    expect(told).toEqual([
      '› go',
      '✓ shell make it · all good',
      '⊘ deny never this denied',
      expect.stringMatching(/^ {2}⎿ /),
      '✗ fail break it',
      '  ⎿ no way',
      'Ok.',
    ]);
    const again = await startChat([], {
      rows: 60,
      backend: { open: () => Promise.resolve({ agent: agent!, notes: [] }) },
    });
    again.say('/resume x');
    await again.terminal.until('Ok.');
    expect(transcript(again.terminal.all()).slice(1)).toEqual(told);
  });
});
