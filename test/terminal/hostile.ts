/* eslint-disable no-control-regex -- they are what it is about */
import { unseenCharacter } from '../../packages/wire/src/base/printable.ts';

/** Text that hides what follows, writes the clipboard, clears, colours, retitles, turns, hides: one of each kind. */
export const HOSTILE = [
  '\x1b[8m\x1b[0m\x1b[34mPWN\x1b[2J\x1b[1;1H\x1b[?1049h\x1bc',
  '\x1b]52;c;cHduZWQ=\x07\x1b]0;title\x1b\\\x1bPq#0\x1b\\\x1b_pi:c\x07\x1bktitle\x1b\\',
  '\x9b31m\x9d0;t\x9c\x90\x85\x7f\b\r\v\f',
  '\u202e\u2066\u061c\u200b\u200d\u2060\ufeff\u00ad\u2028\u2029\u3164\u2800\u00a0\u{e0041}\ufff9\ufe0f\ud83d ',
].join('');

/** Not text: what the program decides by, and ids that have to fit each other. */
const KEPT = new Set(['type', 'role', 'kind', 'status', 'decision', 'stream', 'reason', 'ended_by', 'wire', 'retry']);
const isKept = (key: string, value: unknown): boolean =>
  KEPT.has(key) && typeof value === 'string' && /^[\w.]+$/.test(value);

/** The same value with hostile characters before, in and behind every text in it. */
export function hostile<T>(value: T): T {
  return changed(value) as T;
}

function changed(value: unknown): unknown {
  // At the end one that is cut: the next text would finish it.
  if (typeof value === 'string') return `${HOSTILE}${value}${HOSTILE}\x1b]0;cut`;
  if (Array.isArray(value)) return value.map(changed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, isKept(key, inner) ? inner : changed(inner)]),
  );
}

/** Every sequence that turnwire writes itself; anything else in its bytes came from somebody else. */
const OWN = [
  /\x1b\[\?(?:2026|7|25|2004)[hl]/, // a frame at once, no wrapping, cursor, bracketed paste
  /\x1b\[\d+;\d+H|\x1b\[(?:9999)?H|\x1b\[\d+B|\x1b\[[02]K/, // go to, clear the line
  /\x1b\[6n|\x1b\[>c|\x1b\[18t/, // where is the cursor, what are you, how large
  /\x1b\[(?:\d+[GAC]|0?J|1G)/, // readline
  /\x1b\[(?:[<>=]\d*(?:;\d+)?u|\?u|c|>4;[02]m)/, // keyboard protocols
  /\x1b\[(?:(?:[0-479]|2[2-479]|3[1-3569])(?:;(?:[0-479]|2[2-479]|3[1-3569]))*)?m/, // looks; nothing of ours is blue: that is a stranger's
];
const OWN_SEQUENCES = new RegExp(OWN.map((one) => one.source).join('|'), 'g');

const STRANGE = new RegExp(`(?!\\n)${unseenCharacter}[^]{0,20}`, 'gv');

/** What is in the bytes of a terminal that turnwire does not write and a person does not see: each with what follows. */
export function notAllowed(bytes: string): string[] {
  const rest = bytes.replaceAll(OWN_SEQUENCES, '').replaceAll(/\r+\n/g, '\n');
  return [...new Set(rest.match(STRANGE))].slice(0, 20);
}
