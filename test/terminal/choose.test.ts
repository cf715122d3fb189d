import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Agent, ThreadStore } from '../../packages/agent/src/index.ts';
import { temporaryFolder, testTool } from '../agent/helpers.ts';
import { answer, call, calls, ScriptedModel } from '../agent/scripted-model.ts';
import { keys, startChat, transcript } from './harness.ts';

const models = () =>
  Promise.resolve([
    { id: 'small' },
    { id: 'large', contextWindow: 32_000 },
    { id: 'lar\u202ege-2', contextWindow: 8000 },
  ]);

describe('/model', () => {
  it('lets one choose among those of the server, and takes their window along', async () => {
    const chat = await startChat([answer('Hi.')], { rows: 30, backend: { models } });
    await chat.idle();
    chat.say('/model');
    await chat.terminal.until('lar\\u{202e}ge-2');
    expect(chat.terminal.screen().join('\n')).toMatch(/large +32\.0k tokens/);
    chat.terminal.type('lrg');
    await chat.terminal.until((rows) => !rows.join('\n').includes('small'));
    // Enter chooses and sends in one.
    chat.terminal.press(keys.enter);
    await chat.terminal.until('The model is large from now on.');
    chat.say('hello');
    await chat.idle();
    expect(chat.model.requests[0]?.model).toBe('large');
    expect(chat.agents[0]?.contextWindow).toBe(32_000);
  });

  it('opens its list when the name of the command was completed', async () => {
    const chat = await startChat([], { rows: 30, backend: { models } });
    chat.terminal.type('/mod');
    await chat.terminal.until('the model to ask');
    chat.terminal.press(keys.tab);
    await chat.terminal.until(/large +32\.0k/);
    chat.terminal.press(keys.escape);
    await chat.terminal.until((rows) => !rows.join('\n').includes('32.0k'));
    expect(chat.terminal.screen()).toContain('› /model');
  });

  it.each([
    ['has no list', () => Promise.resolve([])],
    ['cannot be asked', () => Promise.reject(new Error('down'))],
  ])('of a server that %s tells what it is', async (_, none) => {
    const chat = await startChat([], { backend: { models: none } });
    await chat.idle();
    chat.say('/model');
    await chat.terminal.until('The model is tiny. /model NAME changes it.');
    chat.say('/model other');
    await chat.terminal.until('The model is other from now on.');
  });
});

describe('/resume', () => {
  it('lets one choose by what was said', async () => {
    const folder = await temporaryFolder();
    const store = new ThreadStore(folder);
    const model = new ScriptedModel(answer('One.'), answer('Two.'));
    const chat = await startChat([], {
      rows: 40,
      backend: {
        threads: () => store.list(),
        async open(what, approver) {
          const thread = what.type === 'new' ? store.create(folder) : await store[what.type](what.id);
          return { agent: new Agent({ model, approver, thread }), notes: [] };
        },
      },
    });
    chat.say('about apples');
    await chat.terminal.until('One.');
    await chat.idle();
    const [first] = await store.list();
    chat.say('/new');
    await chat.terminal.until('A new conversation');
    await chat.idle();
    chat.say('about pears');
    await chat.terminal.until('Two.');
    await chat.idle();
    chat.say('/fork');
    await chat.terminal.until('Going on in a copy');
    await chat.idle();
    // A copy is known by what it is a copy of.
    expect((await store.list()).map(({ preview }) => preview).sort()).toEqual([
      'about apples',
      'about pears',
      'about pears',
    ]);
    chat.say('/resume');
    await chat.terminal.until(/› \/resume\n.*about/);
    chat.terminal.type('apples');
    await chat.terminal.until((rows) => !rows.some((row) => /^ .*about pears/.test(row)));
    chat.terminal.press(keys.enter);
    await chat.terminal.until(`Going on with a conversation (${first?.id ?? ''}).`);
  });
});

describe('the output of tools', () => {
  const lines = Array.from({ length: 300 }, (_, at) => `line ${at}`).join('\n');

  it('is read whole in the pager: the latest with Ctrl-T, one of them with /output', async () => {
    const paged: string[] = [];
    const page = (text: string) => Promise.resolve(void paged.push(text));
    const tools = [testTool('one', () => lines), testTool('two', () => 'short')];
    const script = [calls(call('one', { n: 1 }, 'a')), calls(call('two', {}, 'b')), answer('Done.')];
    const chat = await startChat(script, { tools, rows: 30, page });
    chat.terminal.press(keys.ctrlT);
    await chat.terminal.until('No tool has run yet.');
    chat.say('go');
    await chat.idle();
    chat.terminal.press(keys.ctrlT);
    await expect.poll(() => paged).toEqual(['two\n\nshort']);
    chat.say('/output 2');
    await expect.poll(() => paged.slice(1)).toEqual([`one 1\n\n${lines}`]);
    chat.say('/output 3');
    await chat.terminal.until('There are the outputs 1 (the latest) to 2.');
    chat.terminal.type('/output ');
    await chat.terminal.until(/2 +one 1/);
    // The screen came back, whole.
    expect(transcript(chat.terminal.screen())).toContain('✓ one 1 · 300 lines (ctrl+o)');
  });

  it('and of the model: the latest answer is read in the pager with /answer, no line broken', async () => {
    const paged: string[] = [];
    const page = (text: string) => Promise.resolve(void paged.push(text));
    const long = `See https://example.com/${'a'.repeat(300)} \u202e.`;
    const chat = await startChat([answer('Before.'), answer(long)], { page });
    chat.say('/answer');
    await chat.terminal.until('There is no answer yet.');
    chat.say('go');
    await chat.idle();
    chat.say('on');
    await chat.idle();
    chat.say('/answer');
    await expect.poll(() => paged).toEqual([`See https://example.com/${'a'.repeat(300)} .`]);
  });

  it('has the terminal to itself meanwhile, and a pager that fails is told', async () => {
    const began = Promise.withResolvers<undefined>();
    const left = Promise.withResolvers<undefined>();
    let seen = '';
    const chat = await startChat([calls(call('one', {})), answer('Done.')], {
      tools: [testTool('one', () => 'short')],
      async page() {
        chat.terminal.written = '';
        began.resolve(undefined);
        await left.promise;
        seen = chat.terminal.written;
        throw new Error('no pager');
      },
    });
    chat.say('go');
    await chat.idle();
    chat.terminal.press(keys.ctrlT);
    await began.promise;
    // Signals are the pager's as well.
    chat.app.interrupt();
    chat.app.interrupt();
    chat.app.screen.requestRender();
    left.resolve(undefined);
    await chat.terminal.until('✗ no pager');
    expect(seen).toBe('');
    // Nothing went up, nothing is there twice.
    expect(transcript(chat.terminal.all())).toEqual(['› go', '✓ one · short', 'Done.', '✗ no pager']);
    expect(chat.app.isBusy).toBe(false);
    await chat.terminal.until('tiny at test');
  });
});

describe('files after @', () => {
  it('are quoted where their names have blanks', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'sub'));
    await writeFile(join(cwd, 'sub', 'file with space.md'), '');
    const chat = await startChat([], { backend: { cwd } });
    chat.terminal.type('see @space');
    await chat.terminal.until('sub/file with space.md');
    chat.terminal.press(keys.tab);
    await chat.terminal.until('› see @"sub/file with space.md"');
    chat.terminal.type('and @"file with');
    await chat.terminal.until(/ sub\/file with space\.md/);
  });
});
