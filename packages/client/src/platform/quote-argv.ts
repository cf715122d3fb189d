import { unseenCharacter } from '@turnwire/wire/internal/base/printable';

/** What a shell takes as it stands, wherever in a command it is. */
const PLAIN = /^[\w@%+:,./=-]+$/;

const UNSEEN = new RegExp(unseenCharacter, 'v');
const EVERY_UNSEEN = new RegExp(`['\\\\]|${unseenCharacter}`, 'gv');

/**
 * A program with its arguments as one line of shell that runs exactly this: what a person is shown must not read
 * like something else. `["sh", "-c", "rm -rf x"]` is `sh -c 'rm -rf x'`. What cannot be seen is written as in
 * bash's `$'\n'`.
 */
export function quoteArgv(argv: readonly string[]): string {
  return argv.map((word, at) => (isPlain(word, at) ? word : inVisibleQuotes(word))).join(' ');
}

/** The same for a shell to run, also for one that does not know `$'\n'`. */
export function quoteForShell(argv: readonly string[]): string {
  return argv.map((word, at) => (isPlain(word, at) ? word : inQuotes(word))).join(' ');
}

/** As the first word, `X=1` would be an assignment. */
function isPlain(word: string, at: number): boolean {
  return PLAIN.test(word) && !(at === 0 && word.includes('='));
}

function inVisibleQuotes(word: string): string {
  return UNSEEN.test(word) ? `$'${word.replace(EVERY_UNSEEN, escaped)}'` : inQuotes(word);
}

/** One word that is not the first of a command, for any POSIX shell. */
export function quoteWord(word: string): string {
  return PLAIN.test(word) ? word : inQuotes(word);
}

/** One word of a POSIX shell, in single quotes whatever it is: within them nothing means anything but the quote. */
export function inQuotes(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function escaped(char: string): string {
  if (char === "'" || char === '\\') return `\\${char}`;
  if (char === '\n') return '\\n';
  const code = char.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  return code > 0xffff ? `\\U${digits.padStart(8, '0')}` : `\\u${digits.padStart(4, '0')}`;
}
