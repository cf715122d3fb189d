/** What the model of the day says: to each message of the person the answer that belongs to it. */
import type { Reply, ReplyPart, Scenario, Turn } from '../../packages/testing/src/index.ts';

/** Numbered words, so that one that is lost or doubled is seen: `w0000 w0001 …`. */
export function words(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, at) => `w${String(from + at).padStart(4, '0')}`);
}

/** The words of the answers that are whole, by what the person says. Each has those after the one before. */
const answered = [
  ['Good morning', 300],
  ['And then', 20],
  ['Build it', 20],
  ['Build it again', 20],
  ['Change it', 20],
  ['Change it otherwise', 20],
  ['Write it', 20],
  ['Add them', 20],
  ['What is in', 20],
] as const;

type Said = (typeof answered)[number][0] | 'Good evening' | 'In the copy';

/** All words of the day before the chat is left. */
export const wordsOfDay = words(
  0,
  answered.reduce((sum, [, count]) => sum + count, 0),
);

/** The answer to a message that an answer belongs to. */
export function answerTo(said: Said): string {
  const at = answered.findIndex(([name]) => name === said);
  if (at < 0) return words(wordsOfDay.length, wordsOfDay.length + 20).join(' ');
  const from = answered.slice(0, at).reduce((sum, [, count]) => sum + count, 0);
  return words(from, from + (answered[at]?.[1] ?? 0)).join(' ');
}

export const patch = (file: string): string =>
  `*** Begin Patch\n*** Add File: ${file}\n+first line\n+second line\n*** End Patch\n`;

export const commands = {
  once: 'echo built once > built.txt && cat built.txt',
  session: 'echo again >> again.txt && wc -l again.txt',
  long: 'echo begun && sleep 600',
} as const;

const text = (said: Said): Reply => ({ parts: [{ type: 'text', text: answerTo(said), chunk: 24 }] });
const call = (name: string, args: object): ReplyPart => ({ type: 'tool_call', name, arguments: args });
const calling = (name: string, args: object): Reply => ({ parts: [call(name, args)] });
/** Said at the beginning of the last message. */
const to = (said: string, ...replies: readonly Reply[]): Turn => ({
  when: { user: new RegExp(`^${said}[.?,]`) },
  replies,
});

/** Slow: it is interrupted. Its words are counted apart. */
const story = Array.from({ length: 400 }, (_, at) => `s${String(at).padStart(4, '0')}`).join(' ');

export const scenario: Scenario = {
  turns: [
    to('Good morning', { ...text('Good morning'), paceMs: 8 }),
    to('And then', text('And then')),
    to('Build it', calling('shell', { command: commands.once }), text('Build it')),
    to(
      'Build it again',
      calling('shell', { command: commands.session }),
      calling('shell', { command: commands.session }),
      text('Build it again'),
    ),
    to('Change it', calling('apply_patch', { input: patch('denied.txt') }), text('Change it')),
    to('Change it otherwise', calling('apply_patch', { input: patch('refused.txt') }), text('Change it otherwise')),
    to('Write it', calling('apply_patch', { input: patch('written.txt') }), text('Write it')),
    to('Tell a story', { parts: [{ type: 'text', text: story, chunk: 6 }], paceMs: 40 }),
    to('Wait', calling('shell', { command: commands.long })),
    to('Wait again', { parts: [{ type: 'reasoning', text: story, chunk: 6 }], paceMs: 40 }),
    to('Add them', calling('mcp__sums__add', { a: 19, b: 23 }), text('Add them')),
    to('What is in', text('What is in')),
    to('Good evening', text('Good evening')),
    to('In the copy', text('In the copy')),
  ],
};
