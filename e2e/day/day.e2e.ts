/** A day at the chat in tmux: what the server is asked, and what stands on the screen and in the scrollback. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isObject } from '../../packages/wire/src/base/json.ts';
import { startMock, type MockServer } from '../../packages/testing/src/index.ts';
import { skip } from '../terminal/chat-in-tmux.ts';
import { Desk } from './desk.ts';
import { answerTo, scenario, wordsOfDay } from './model.ts';

/** Messages of the latest request. */
function asked(server: MockServer): readonly unknown[] {
  const messages = server.requests.findLast(({ view }) => view !== undefined)?.body?.messages;
  assert.ok(Array.isArray(messages));
  return messages;
}

/** Outputs of the tools that were called since the last message of the person, as the model is told them. */
const outputs = (server: MockServer): readonly string[] =>
  server.requests.findLast(({ view }) => view !== undefined)?.view?.toolOutputs.map(({ text }) => text) ?? [];

const wordsIn = (text: string): string[] => text.replaceAll(/\s/g, '').match(/w\d{4}/g) ?? [];
const lastWord = (said: Parameters<typeof answerTo>[0]): string => answerTo(said).slice(-5);

await test('a day', { skip }, async (day) => {
  await using server = await startMock({ scenario });
  using desk = new Desk(server.baseUrl);
  const { tmux } = desk;
  const file = (name: string): string => join(desk.folder, name);
  const answered = (said: Parameters<typeof answerTo>[0]): Promise<void> => tmux.until(lastWord(said));
  await tmux.until('tiny at');

  await day.test('a message, and one that is queued while the answer streams', async () => {
    desk.say('Good morning.');
    await tmux.until('w0020');
    desk.say('And then?');
    await tmux.until('Queued (Up edits the last)');
    await answered('And then');
    const [system, ...rest] = asked(server);
    assert.match(JSON.stringify(system), /Count the words of each answer\./);
    assert.deepEqual(rest.map(shortly), [
      'user: Good morning.',
      `assistant: ${answerTo('Good morning')}`,
      'user: And then?',
    ]);
  });

  await day.test('smaller', () => desk.resize(60, 20));

  await day.test('a command, once', async () => {
    desk.say('Build it.');
    await desk.answer('? Run shell: echo built once', 'y');
    await answered('Build it');
    assert.deepEqual(outputs(server), ['exit code 0\nbuilt once\n']);
    assert.equal(readFileSync(file('built.txt'), 'utf8'), 'built once\n');
  });

  await day.test('a command for the whole conversation: the second time nobody is asked', async () => {
    desk.say('Build it again.');
    await desk.answer('? Run shell: echo again', 's');
    await answered('Build it again');
    assert.deepEqual(outputs(server), ['exit code 0\n1 again.txt\n', 'exit code 0\n2 again.txt\n']);
    assert.equal(readFileSync(file('again.txt'), 'utf8'), 'again\nagain\n');
  });

  await day.test('a patch that is denied', async () => {
    desk.say('Change it.');
    await desk.answer('? Run apply_patch', 'n');
    await answered('Change it');
    assert.deepEqual(outputs(server), ['not run: the user said no']);
    assert.equal(existsSync(file('denied.txt')), false);
  });

  await day.test('larger', () => desk.resize(110, 40));

  await day.test('everything is on the terminal once, in its order', () => {
    assert.deepEqual(wordsIn(tmux.all()), wordsOfDay.slice(0, 380));
    assert.equal(tmux.screen().split('tiny at').length, 2);
  });
});

/** A message as one line. */
function shortly(message: unknown): string {
  assert.ok(isObject(message));
  return `${String(message.role)}: ${typeof message.content === 'string' ? message.content : JSON.stringify(message.content)}`;
}
