import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunCommand } from '../../turnwire/src/terminal/own-command.ts';
import { temporaryFolder } from '../agent/helpers.ts';
import { answer } from '../agent/scripted-model.ts';
import { gate, keys, startChat, transcript } from './harness.ts';

/** The texts and kinds of the parts of the latest message. */
const partsOf = (message: unknown): unknown[] =>
  (message as { content: readonly { type: string; text?: string }[] }).content.map((part) => part.text ?? part.type);

describe('a command of the person', () => {
  it('runs without the model, which is told of it with the next message, once', async () => {
    const chat = await startChat([answer('I see.'), answer('Again.')]);
    await chat.idle();
    chat.say('!make it');
    await chat.terminal.until('ran make it');
    await chat.idle();
    expect(chat.model.requests).toEqual([]);
    chat.say('what was that?');
    await chat.idle();
    expect(partsOf(chat.model.requests[0]?.input.at(-1))).toEqual([
      'what was that?',
      '<user_command>\nThe user ran this command:\n$ make it\nexit code 0\nran make it\n</user_command>',
    ]);
    chat.say('and now?');
    await chat.idle();
    expect(partsOf(chat.model.requests[1]?.input.at(-1))).toEqual(['and now?']);
    const rows = ['✓ ! make it', '  ⎿ ran make it', '› what was that?', 'I see.', '› and now?', 'Again.'];
    expect(transcript(chat.terminal.all())).toEqual(rows);
  });

  it('shows what it prints as it comes, and ends with Esc', async () => {
    const begun = gate();
    const runCommand: RunCommand = (_command, run) => {
      run.output('stdout', 'half of it\n');
      begun.open();
      const { promise, resolve } = Promise.withResolvers<{ output: string; ok: boolean }>();
      run.signal.addEventListener('abort', () => resolve({ output: 'stopped: half of it', ok: false }));
      return promise;
    };
    const chat = await startChat([], { backend: { runCommand } });
    await chat.idle();
    chat.say('!sleep');
    await begun.wait();
    await chat.terminal.until(/half of it\n[^]*running your command 0s \(esc\)/);
    chat.say('!another');
    await chat.terminal.until('A command has to wait');
    chat.terminal.press(keys.escape);
    await chat.terminal.until('⊘ ! sleep interrupted');
    await chat.idle();
  });

  it('that cannot be run says why', async () => {
    const runCommand = () => Promise.reject(new Error('there are no commands'));
    const chat = await startChat([], { backend: { runCommand } });
    await chat.idle();
    chat.say('!ls');
    await chat.terminal.until('there are no commands');
    expect(transcript(chat.terminal.all())).toEqual(['✗ ! ls', '  ⎿ there are no commands']);
  });
});

describe('an image', () => {
  it('goes with the message that names its file', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'pic.png'), Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'));
    const chat = await startChat([answer('A picture.')], { backend: { cwd } });
    await chat.idle();
    chat.say('look at pic.png and none.png');
    await chat.idle();
    expect(partsOf(chat.model.requests[0]?.input.at(-1))).toEqual(['look at pic.png and none.png', 'input_image']);
    expect(transcript(chat.terminal.all())).toEqual(['› look at pic.png and none.png', '  [image]', 'A picture.']);
  });

  it('goes with a message that waited in the queue', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'pic.png'), Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'));
    const held = gate();
    const chat = await startChat([[held.wait, ...answer('One.')], answer('A picture.')], { backend: { cwd } });
    await chat.idle();
    chat.say('go');
    await chat.terminal.until('waiting');
    chat.say('look at pic.png');
    await chat.terminal.until('⧗ look at pic.png');
    held.open();
    await chat.idle();
    expect(partsOf(chat.model.requests[1]?.input.at(-1))).toEqual(['look at pic.png', 'input_image']);
  });

  it('of the clipboard goes with the message as well', async () => {
    const cwd = await temporaryFolder();
    const file = join(cwd, '1.png');
    await writeFile(file, Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'));
    const found = [file, undefined];
    const clipboardImage = () => Promise.resolve(found.shift());
    const chat = await startChat([answer('A picture.')], { columns: 120, clipboardImage });
    await chat.idle();
    chat.terminal.type('look: ');
    chat.terminal.press('\x16');
    await chat.terminal.until(`› look: ${file}`);
    chat.terminal.press(keys.enter);
    await chat.idle();
    expect(partsOf(chat.model.requests[0]?.input.at(-1))).toEqual([`look: ${file}`, 'input_image']);
    chat.terminal.press('\x16');
    await chat.terminal.until('There is no image in the clipboard');
  });
});
