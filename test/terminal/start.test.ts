import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Agent, ThreadStore } from '../../packages/agent/src/index.ts';
import { shortServer } from '../../turnwire/src/terminal/status-text.ts';
import { eventsOf, temporaryFolder } from '../agent/helpers.ts';
import { answer, ScriptedModel, usage } from '../agent/scripted-model.ts';
import { gate, keys, startChat, transcript } from './harness.ts';

describe('the beginning of a chat', () => {
  it('says what it is, where, with whom, and what commands may do, once that is known', async () => {
    const held = gate();
    const agent = new Agent({ model: new ScriptedModel() });
    const chat = await startChat([], {
      backend: {
        version: '1.2.3',
        folder: '~/pro\u202eject',
        open: async () => (await held.wait(), { agent, notes: ['careful'], sandbox: 'workspace: no network' }),
      },
    });
    const head = 'turnwire 1.2.3 · /help lists commands and keys';
    const place = ['~/pro\\u{202e}ject', 'tiny at test'];
    expect(transcript(chat.terminal.all())).toEqual([head, `  folder  ${place[0]}`, `  model   ${place[1]}`]);
    held.open();
    await chat.terminal.until('careful');
    expect(transcript(chat.terminal.all())).toEqual([
      head,
      `  folder   ${place[0]}`,
      `  model    ${place[1]}`,
      '  sandbox  workspace: no network',
      '! careful',
    ]);
    expect(chat.terminal.lookOf('turnwire')).toMatchObject({ bold: true });
  });

  it('can be typed in, and the line cleared, before the conversation is open', async () => {
    const held = gate();
    const agent = new Agent({ model: new ScriptedModel() });
    const chat = await startChat([], {
      backend: { open: async () => (await held.wait(), { agent, notes: ['open'] }) },
    });
    chat.terminal.type('soon');
    await chat.terminal.until('› soon');
    chat.terminal.press(keys.ctrlC);
    await chat.terminal.until(/^› *$/m);
    expect(chat.terminal.screen().join('\n')).not.toContain('Ctrl-C again');
    held.open();
    await chat.terminal.until('open');
  });

  it('is whole too when no conversation can be opened', async () => {
    const open = () => Promise.reject(new Error('no such conversation'));
    const chat = await startChat([], { backend: { version: '1.2.3', open } });
    await chat.terminal.until('no such conversation');
    expect(chat.app.view.cells.every((cell) => !cell.open)).toBe(true);
  });
});

describe('the line at the bottom', () => {
  it('says how full the context is, who answers and where', async () => {
    const backend = { contextWindow: 100, folder: '~/project' };
    const chat = await startChat([answer('Hi.', { usage })], { columns: 120, backend });
    await chat.terminal.until(/^tiny at test · ~\/project$/m);
    chat.say('go');
    await chat.idle();
    await chat.terminal.until(/10 in \(1 cached\) 5 out · 15% of 100 · tiny at test · ~\/project$/m);
  });

  it.each([
    ['http://127.0.0.1:8080/v1', '127.0.0.1:8080'],
    ['https://api.example.com/v1', 'api.example.com'],
    ['local', 'local'],
  ])('calls the server %s by %s', (provider, name) => {
    expect(shortServer(provider)).toBe(name);
  });
});

describe('/status and /cost', () => {
  it('tell of the conversation, also what it took before it was resumed', async () => {
    const store = new ThreadStore(join(await temporaryFolder(), 'threads'));
    const thread = store.create('/p');
    const model = new ScriptedModel(answer('One.', { usage }), answer('Two.', { usage }));
    await eventsOf(new Agent({ model, thread }).run('first'));
    const backend = {
      folder: '~/p',
      contextWindow: 1000,
      open: async () => {
        const agent = new Agent({ model, thread: await store.resume(thread.id) });
        return { agent, notes: [], sandbox: 'read-only' };
      },
    };
    const chat = await startChat([], { rows: 40, columns: 100, backend });
    await chat.idle();
    chat.say('/cost');
    const before = '· 0 requests, what was before included: 10 tokens in (1 cached), 5 out (2 reasoning).';
    await chat.terminal.until(before);
    chat.say('second');
    await chat.idle();
    chat.say('/status');
    await chat.terminal.until('conversation  ');
    expect(transcript(chat.terminal.all()).slice(-7)).toEqual([
      '· folder        ~/p',
      '  model         tiny at test',
      '  sandbox       read-only',
      '  approvals     ask',
      `  conversation  ${thread.id}`,
      '  context       2% of 1.0k',
      '  tokens        1 request, what was before included: 20 tokens in (2 cached), 10 out (4 reasoning).',
    ]);
  });
});
