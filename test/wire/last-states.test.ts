import { describe, expect, it } from 'vitest';
import { lastStates } from '../../packages/wire/src/base/last-states.ts';
import { withoutSequences } from '../../packages/wire/src/base/printable.ts';

describe('the last states of lines', () => {
  it.each([
    ['10%\r50%\r\r100%\ndone\r\n', '100%\ndone\r\n'],
    ['one\r\ntwo\r\n', 'one\r\ntwo\r\n'],
    ['\r\n\r\n', '\r\n\r\n'],
    ['\rone\r', 'one\r'],
    ['\r', '\r'],
    ['plain\ntext', 'plain\ntext'],
  ])('of %j are %j', (text, shown) => {
    expect(lastStates(text)).toBe(shown);
  });
});

describe('a text without sequences', () => {
  it.each([
    ['\x1b[1;31mred\x1b[0m \x1b]0;title\x07and \x1b]8;;https://a.b\x1b\\link\x1b]8;;\x1b\\', 'red and link'],
    // What cannot be seen is part of a file all the same.
    ['a\u202eb\u200bc\r\n\x07', 'a\u202eb\u200bc\r\n\x07'],
    ['cut \x1b[3', 'cut '],
  ])('of %j is %j', (text, shown) => {
    expect(withoutSequences(text)).toBe(shown);
  });
});
