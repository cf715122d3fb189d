import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  printable,
  printableNext,
  visible,
  visibleJson,
  visibleLines,
} from '../../packages/wire/src/base/printable.ts';

/** Characters that no form may let through, one of each kind. */
const hidden = [
  '\0\x07\b\v\f\x1b\x7f\x80\x85\x9b\x9d\x9f', // C0, DEL, C1
  '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069', // direction
  '\u200b\u200c\u200d\u2060\u2063\ufeff\u00ad\u034f\u180e', // no width
  '\u2028\u2029', // line and paragraph
  '\u00a0\u1680\u2003\u202f\u205f\u3000\u3164\uffa0\u115f\u1160\u2800', // blanks
  '\u{e0001}\u{e0041}\u{e007f}\ufff9\ufffb\u{1d173}', // tags, annotations, musical
  '\ufe0f\ufe00\u{e0100}', // variation selectors without a picture
].flatMap((kind) => Array.from(kind));

const whole = (pieces: readonly string[]): string => {
  let held = '';
  let text = '';
  for (const piece of pieces) {
    const next = printableNext(held, piece);
    text += next.text;
    held = next.held;
  }
  return text + printable(held);
};

describe('printable', () => {
  test.each([
    ['colour', 'a\x1b[31;1mred\x1b[0m b', 'ared b'],
    ['movement', 'a\x1b[2J\x1b[1;1Hb', 'ab'],
    ['private mode', 'a\x1b[?25lb', 'ab'],
    ['title, ended by BEL', 'a\x1b]0;title\x07b', 'ab'],
    ['clipboard, ended by ST', 'a\x1b]52;c;ZXZpbA==\x1b\\b', 'ab'],
    ['DCS, SOS, PM, APC, screen title', 'a\x1bPq#1\x1b\\\x1bXs\x1b\\\x1b^p\x1b\\\x1b_pi:c\x07\x1bktitle\x1b\\b', 'ab'],
    ['charset and reset', 'a\x1b(0\x1bc\x1b=b', 'ab'],
    ['a string that does not end on its line', 'a\x1b]0;title\nb', 'a0;title\nb'],
    ['a string without an end', `a\x1b]${'x'.repeat(5000)}\x07b`, `a${'x'.repeat(5000)}b`],
    ['the start of a sequence at the end', 'a\x1b[31', 'a'],
    ['8-bit forms lose the one character: it is more often a broken encoding', 'a\u009d b\u009b1m', 'a b1m'],
    ['surrogates', 'a\ud83d b\ude00', 'a\ufffd b\ufffd'],
    ['blanks', 'a\u00a0b\u202fc\u3000d\u2028e', 'a b c  d e'],
    ['lines and tabs stay', 'a\tb\r\nc\rd', 'a\tb\ncd'],
    ['emoji stay', '👩‍❤️‍💋‍👨 1️⃣ 👍🏽 🇩🇪 ❤︎ 👋', '👩‍❤️‍💋‍👨 1️⃣ 👍🏽 🇩🇪 ❤︎ 👋'],
    ['joiners between letters go', 'p\u200dassword 1\ufe0f', 'password 1'],
    [
      'other scripts stay',
      'Größe, naïve, e\u0301, 日本語, العربية ۝, ไทย, 한국어',
      'Größe, naïve, e\u0301, 日本語, العربية ۝, ไทย, 한국어',
    ],
  ])('%s', (_name, text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  test('any split of a text gives the same', () => {
    const piece = fc.constantFrom(
      '\x1b',
      '[',
      ']',
      '\x07',
      '\\',
      '3',
      ';',
      'm',
      ' ',
      'a',
      '\n',
      '\r',
      '\x9b',
      'k',
      'P',
    );
    const emoji = fc.constantFrom(
      '👩',
      '❤',
      '\ufe0f',
      '\u200d',
      '\ud83d',
      '\ude00',
      '🏽',
      '\u20e3',
      '1',
      '\u202e',
      '\u00a0',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, emoji), { maxLength: 40 }),
        fc.array(fc.nat(60), { maxLength: 6 }),
        (parts, at) => {
          const text = parts.join('');
          const cuts = [...at.filter((cut) => cut < text.length), text.length].sort((a, b) => a - b);
          expect(whole(cuts.map((cut, n) => text.slice(cuts[n - 1] ?? 0, cut)))).toBe(printable(text));
          expect(whole(text.split(''))).toBe(printable(text));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('what is held back is bounded', () => {
    let held = '';
    let longest = 0;
    for (const char of `\x1b]${'x'.repeat(10_000)}`) {
      held = printableNext(held, char).held;
      longest = Math.max(longest, held.length);
    }
    expect(longest).toBeLessThan(2100);
    expect(held).toBe('');
  });
});

describe('every hidden character', () => {
  test.each(hidden.map((char) => [char.codePointAt(0)!.toString(16), char]))('U+%s', (code, char) => {
    expect(printable(`a${char}\n`)).toMatch(/^a {0,2}\n$/);
    const named = `\\u{${code}}`;
    expect(visible(`a${char}b`)).toBe(`a${named}b`);
    expect(visibleLines(`a${char}b`)).toBe(`a${named}b`);
    const json = visibleJson(JSON.stringify({ text: char }));
    expect(json).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(json)).toEqual({ text: char });
  });

  test('lines are shown as lines only where lines are expected', () => {
    expect(visible('a\nb\tc\r\nd')).toBe('a\\nb\\tc\\r\\nd');
    expect(visibleLines('a\nb\tc\r\nd')).toBe('a\nb\tc\\r\nd');
    expect(visibleJson('{"a":1}\n')).toBe('{"a":1}\n');
  });
});
