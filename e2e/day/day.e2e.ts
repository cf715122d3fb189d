/** A day at the chat in tmux: what the server is asked, and what stands on the screen and in the scrollback. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isObject } from '../../packages/wire/src/base/json.ts';
import { startMock, type MockServer } from '../../packages/testing/src/index.ts';
import { skip } from '../terminal/chat-in-tmux.ts';
import { numberedWordsIn } from '../terminal/numbered-words.ts';
import { Desk, image } from './desk.ts';
import { answerTo, HeldClock, scenario, story, wordsUntil, type Said } from './model.ts';

/** Messages of the latest request. */
function asked(server: MockServer): readonly unknown[] {
  const messages = server.requests.findLast(({ view }) => view !== undefined)?.body?.messages;
  assert.ok(Array.isArray(messages));
  return messages;
}

/** Outputs of the tools that were called since the last message of the person, as the model is told them. */
const outputs = (server: MockServer): readonly string[] =>
  server.requests.findLast(({ view }) => view !== undefined)?.view?.toolOutputs.map(({ text }) => text) ?? [];

/** Characters of a word. */
const WORD = 5;

await test('a day', { skip }, async (day) => {
  const clock = new HeldClock();
  await using server = await startMock({ scenario, clock });
  using desk = new Desk(server.baseUrl);
  const { tmux } = desk;
  const file = (name: string): string => join(desk.folder, name);
  const lastWordOf = (said: Said): string => answerTo(said).slice(-WORD);
  const answered = (said: Said): Promise<void> => tmux.until(lastWordOf(said));
  await tmux.until('tiny at');

  await day.test('a message, and one that is queued while the answer streams', async () => {
    desk.say('Good morning.');
    await tmux.until('w0020');
    clock.hold();
    desk.say('And then?');
    await tmux.until('Queued (Up edits the last)');
    clock.release();
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

  await day.test('a patch that is denied with a reason', async () => {
    desk.say('Change it otherwise.');
    await desk.answer('? Run apply_patch', 'w');
    await tmux.until('Why not? Enter sends it');
    desk.say('it is too short');
    await answered('Change it otherwise');
    assert.deepEqual(outputs(server), ['not run: the user said no: it is too short']);
    assert.equal(existsSync(file('refused.txt')), false);
  });

  await day.test('larger', () => desk.resize(110, 40));

  await day.test('a patch that is taken back', async () => {
    desk.say('Write it.');
    await desk.answer('? Run apply_patch', 'y');
    await answered('Write it');
    assert.equal(readFileSync(file('written.txt'), 'utf8'), 'first line\nsecond line\n');
    desk.say('/undo');
    await tmux.until('Taken back: ');
    assert.equal(existsSync(file('written.txt')), false);
  });

  await day.test('Esc while the answer comes', async () => {
    desk.say('Tell a story.');
    await tmux.until('s0010');
    tmux.send('Escape');
    await tmux.until('Interrupted. What was said is kept.');
    const [, shown = ''] = /› Tell a story\.(.*)! Interrupted/s.exec(tmux.all()) ?? [];
    const kept = shown.trim().replaceAll(/\s+/g, ' ');
    assert.ok(story.startsWith(kept));
    desk.say('And now?');
    await answered('And now');
    assert.deepEqual(asked(server).slice(-3).map(shortly), [
      'user: Tell a story.',
      `assistant: ${kept}`,
      'user: And now?',
    ]);
  });

  await day.test('Esc while a command runs', async () => {
    desk.say('Wait.');
    await desk.answer('? Run shell: echo begun', 'y');
    await tmux.until('⎿ begun');
    tmux.send('Escape');
    await tmux.until('⊘ shell echo begun && sleep 600 interrupted');
  });

  await day.test('Ctrl-C while the model thinks', async () => {
    desk.say('Wait again.');
    await tmux.until('Thinking');
    tmux.send('C-c');
    await tmux.until('Ctrl-C again to leave');
    await tmux.until(/› Wait again\.[^›]*! Interrupted/);
  });

  await day.test('a tool of an MCP server', async () => {
    desk.say('Add them.');
    await desk.answer('? Run mcp__sums__add', 'y');
    await answered('Add them');
    assert.deepEqual(outputs(server), ['42\n[image, not shown]']);
  });

  await day.test('an image', async () => {
    desk.say('What is in shot.png?');
    await answered('What is in shot.png');
    assert.deepEqual(asked(server).at(-1), {
      role: 'user',
      content: [
        { type: 'text', text: 'What is in shot.png?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${image.toString('base64')}` } },
      ],
    });
  });

  await day.test('small again', () => desk.resize(72, 24));

  await day.test('everything is on the terminal once, in its order', () => {
    assert.deepEqual(numberedWordsIn(tmux.all()), wordsUntil('What is in shot.png'));
    assert.equal(tmux.screen().split('tiny at').length, 2);
  });

  await day.test('leaving, and going on', async () => {
    const before = asked(server);
    tmux.send('C-d');
    await tmux.until('To go on: turnwire chat --resume ', () => tmux.all());
    // The start screen names the model too, and a terminal takes a long screen in pieces.
    await tmux.until(new RegExp(`${lastWordOf('What is in shot.png')}\\s+tiny at`), () => desk.sinceExit());
    assert.match(desk.sinceExit(), /Going on with a conversation/);
    assert.deepEqual(numberedWordsIn(desk.sinceExit()), wordsUntil('What is in shot.png'));
    assert.match(desk.sinceExit(), /^· Taken back: \S+written\.txt\.$/m);
    desk.say('Good evening.');
    await answered('Good evening');
    assert.deepEqual(asked(server), [
      ...before,
      { role: 'assistant', content: answerTo('What is in shot.png') },
      { role: 'user', content: 'Good evening.' },
    ]);
  });

  await day.test('a copy', async () => {
    const before = asked(server);
    desk.say('/fork');
    await tmux.until('Going on in a copy');
    desk.say('In the copy.');
    await answered('In the copy');
    assert.deepEqual(asked(server), [
      ...before,
      { role: 'assistant', content: answerTo('Good evening') },
      { role: 'user', content: 'In the copy.' },
    ]);
    assert.deepEqual(
      desk
        .threads()
        .map((text) => [text.includes('Good evening.'), text.includes('In the copy.')])
        .sort(),
      [
        [true, false],
        [true, true],
      ],
    );
    tmux.send('C-d');
    await tmux.until('exit 0');
  });
});

/** A message as one line. */
function shortly(message: unknown): string {
  assert.ok(isObject(message));
  const { role, content } = message;
  return `${String(role)}: ${typeof content === 'string' ? content.trimEnd() : JSON.stringify(content)}`;
}
