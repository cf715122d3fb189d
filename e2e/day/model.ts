/** What the model of the day says: to each message of the person the answer that belongs to it; and the clock that it goes by. */
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';
import type { Clock, Timer } from '../../packages/wire/src/base/clock.ts';
import { numberedWords } from '../terminal/numbered-words.ts';
import type { Reply, ReplyPart, Scenario, Turn } from '../../packages/testing/src/index.ts';

/** How many words the answers have that are whole, by what the person says. Each goes on where the one before ended. */
const counts = {
  'Good morning': 300,
  'And then': 20,
  'Build it': 20,
  'Build it again': 20,
  'Change it': 20,
  'Change it otherwise': 20,
  'Write it': 20,
  'And now': 20,
  'Add them': 20,
  'What is in shot.png': 20,
  'Good evening': 20,
  'In the copy': 20,
} as const;

export type Said = keyof typeof counts;

/** The words of the day up to the answer to a message. */
export function wordsUntil(said: Said): string[] {
  return numberedWords(0, firstWordOf(said) + counts[said]);
}

/** The answer to a message. */
export function answerTo(said: Said): string {
  const first = firstWordOf(said);
  return numberedWords(first, first + counts[said]).join(' ');
}

function firstWordOf(said: Said): number {
  const names = Object.keys(counts);
  return Object.values(counts)
    .slice(0, names.indexOf(said))
    .reduce((sum: number, count) => sum + count, 0);
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
export const story = Array.from({ length: 400 }, (_, at) => `s${String(at).padStart(4, '0')}`).join(' ');

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
    to('And now', text('And now')),
    to('Wait', calling('shell', { command: commands.long })),
    to('Wait again', { parts: [{ type: 'reasoning', text: story, chunk: 6 }], paceMs: 40 }),
    to('Add them', calling('mcp__sums__add', { a: 19, b: 23 }), text('Add them')),
    to('What is in shot.png', text('What is in shot.png')),
    to('Good evening', text('Good evening')),
    to('In the copy', text('In the copy')),
  ],
};

/** The system's clock. While it is held nothing that is paced goes on, however long anybody else takes. */
export class HeldClock implements Clock {
  #held: (() => void)[] | undefined;

  now(): number {
    return systemClock.now();
  }

  after(ms: number, callback: () => void): Timer {
    return systemClock.after(ms, () => {
      if (this.#held === undefined) callback();
      else this.#held.push(callback);
    });
  }

  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const callback of held) callback();
  }
}
