/*
 * What a stranger wrote (a model, a server, a tool, a project's files), as a person may see it. A terminal obeys some of
 * these characters, others have no look at all or that of a space, and some turn the writing direction ("Trojan Source",
 * CVE-2021-42574). Answers and outputs leave them out: `printable`. What a person has to judge (a command, a path, a
 * title, an error) shows them: `visible`.
 */

/** Inside of a class of a regular expression with the flag `v`: all of them, the line end and the tab too. */
const HIDDEN = String.raw`\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}[\p{Zs}--\x20]\p{Default_Ignorable_Code_Point}\u2800`;
/** Format characters that have a look (the property Prepended_Concatenation_Mark of Unicode): Arabic number signs. */
const SEEN = String.raw`[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]`;

/** One character that cannot be seen, or that is taken for something else; also what has no look that all agree on. */
export const unseenCharacter = `[[${HIDDEN}\\p{Co}\\p{Cn}]--${SEEN}]`;
const unprintable = `[[${HIDDEN}]--${SEEN}--[\\n\\t]]`;

const UNSEEN = new RegExp(unseenCharacter, 'gv');
const UNSEEN_IN_LINES = new RegExp(`[${unseenCharacter}--[\\n\\t]]`, 'gv');
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A text as one line in which everything can be seen: a line end is `\n`, any other hidden character `\u{202e}`. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, shown);
}

/** As `visible`, but with the lines and tabs of the text: a diff, a message of several lines. */
export function visibleLines(text: string): string {
  return text.replaceAll(UNSEEN_IN_LINES, shown);
}

function shown(char: string): string {
  return NAMED[char] ?? `\\u{${char.codePointAt(0)?.toString(16) ?? ''}}`;
}

const UNPRINTABLE_UNITS = new RegExp(unprintable, 'gv');

/** JSON lines of the same value, with every hidden character as `\u202e`. */
export function visibleJson(json: string): string {
  return json.replaceAll(UNPRINTABLE_UNITS, (char) =>
    char.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

// ECMA-48 (5.4 control sequences, 5.6 control strings, 8.3.92 nF and others). `k` is the title of GNU screen and tmux.
const CSI = String.raw`\[[0-?]{0,64}[ -\/]{0,8}`;
const STRING = String.raw`[PX\]\^_k]`;
const STRING_BODY = String.raw`[^\x07\x18\x1a\x1b\n]{0,2048}`;
const SEQUENCE = String.raw`\x1b(?:${CSI}[@-~]?|${STRING}(?:${STRING_BODY}(?:\x07|\x1b\\))?|[ -\/]{0,8}[0-~]?)`;
// UTS #51: the joiner and the variation selector stand only between and behind pictures, and in keycaps.
const PICTURE = String.raw`\p{Extended_Pictographic}[\ufe0e\ufe0f\p{Emoji_Modifier}]?`;
const EMOJI = String.raw`${PICTURE}(?:\u200d${PICTURE}){0,7}`;
const KEYCAP = String.raw`\ufe0f(?=\u20e3)`;

const UNPRINTABLE = new RegExp(`(${EMOJI}|${KEYCAP})|${SEQUENCE}|${unprintable}`, 'gv');
/** What a next piece may finish. */
const OPEN = String.raw`(\x1b(?:${CSI}|${STRING}${STRING_BODY}\x1b?|[ -\/]{0,8})|${EMOJI}\u200d?[\ud800-\udbff]?|[\ufe0f\ud800-\udbff])$`;
const UNPRINTABLE_OR_OPEN = new RegExp(`${OPEN}|${UNPRINTABLE.source}`, 'gv');
/** Most texts have none of this: one test, and they pass. */
const SUSPECT = new RegExp(`${unprintable}|${PICTURE}$`, 'v');

/**
 * A text without what a terminal would obey or nobody can see: whole escape sequences go, other hidden characters too,
 * odd blanks become spaces. Lines, tabs and emoji stay. What begins a control string and does not end on its line,
 * within 2,048 characters, loses its beginning alone.
 */
export function printable(text: string): string {
  if (!SUSPECT.test(text)) return text;
  return text.replaceAll(UNPRINTABLE, (found: string, kept?: string) => kept ?? instead(found));
}

const SEQUENCES = new RegExp(SEQUENCE, 'gv');

/** A text without escape sequences, whole ones; all other characters stay, also those that cannot be seen. */
export function withoutSequences(text: string): string {
  return text.includes('\x1b') ? text.replaceAll(SEQUENCES, '') : text;
}

/** A text that comes in pieces: what may be shown of it, and what has to wait for the next piece (bounded). */
export interface Printed {
  readonly text: string;
  readonly held: string;
}

/** `printable` for the next piece of a text; `held` is that of the piece before, at first `''`. At the end it is shown. */
export function printableNext(held: string, piece: string): Printed {
  const all = held + piece;
  if (!SUSPECT.test(all)) return { text: all, held: '' };
  let open = '';
  const text = all.replaceAll(UNPRINTABLE_OR_OPEN, (found: string, unfinished?: string, kept?: string) => {
    open = unfinished ?? '';
    return unfinished === undefined ? (kept ?? instead(found)) : '';
  });
  return { text, held: open };
}

/** Letters that look like a blank: fillers of Hangul, an empty braille cell. */
const BLANK = /^[\p{Z}\u115f\u1160\u2800\u3164\uffa0]/u;

function instead(found: string): string {
  if (found === '\u3000') return '  '; // as wide as it was
  if (BLANK.test(found)) return ' ';
  return /^\p{Cs}/u.test(found) ? '\ufffd' : '';
}
