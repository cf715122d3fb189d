import { unseenCharacter } from '../base/printable.ts';

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
  return argv.map((word, at) => (at === 0 && word.includes('=') ? inQuotes(word) : quoteWord(word))).join(' ');
}

function quoteWord(word: string): string {
  return PLAIN.test(word) ? word : inQuotes(word);
}

function inQuotes(word: string): string {
  if (UNSEEN.test(word)) return `$'${word.replace(EVERY_UNSEEN, escaped)}'`;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function escaped(char: string): string {
  if (char === "'" || char === '\\') return `\\${char}`;
  if (char === '\n') return '\\n';
  const code = char.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  return code > 0xffff ? `\\U${digits.padStart(8, '0')}` : `\\u${digits.padStart(4, '0')}`;
}
