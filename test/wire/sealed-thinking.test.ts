import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64Url, toBase64Url } from '../../packages/wire/src/base/base64url.ts';
import { isSealedThinking, openThinking, sealThinking } from '../../packages/wire/src/sealed-thinking.ts';

describe('base64url', () => {
  it('writes what Node writes, and reads it back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const encoded = toBase64Url(text);
        expect(encoded).toBe(Buffer.from(text).toString('base64url'));
        expect(fromBase64Url(encoded)).toBe(Buffer.from(text).toString());
        expect(fromBase64Url(Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_'))).toBe(
          Buffer.from(text).toString(),
        );
      }),
    );
  });

  it.each(['a', 'ab+c', 'ab c', 'ä', '_w', 'YWI\n'])('reads nothing in %j', (text) => {
    expect(fromBase64Url(text)).toBeUndefined();
  });
});

describe('M10 a sealed thinking block', () => {
  it.each([
    { type: 'thinking', thinking: 'hm\n"é🙂\ud83d', signature: 'ErUB+/==' },
    { signature: 's', thinking: '', type: 'thinking' },
    { type: 'redacted_thinking', data: 'EmwK' },
  ])('comes back byte for byte: %j', (block) => {
    const sealed = sealThinking(block);
    expect(sealed).toMatch(/^anthropic:1:[\w-]+$/);
    expect(isSealedThinking(sealed)).toBe(true);
    expect(JSON.stringify(openThinking(sealed))).toBe(JSON.stringify(block));
  });

  it.each([
    undefined,
    '',
    'gAAAAABm',
    'anthropic:1:',
    'anthropic:1:%%',
    `anthropic:1:${toBase64Url('[1]')}`,
    `anthropic:1:${toBase64Url('{"type":"text","text":"no thinking"}')}`,
    sealThinking({ type: 'thinking', thinking: 'cut' }).slice(0, -3),
  ])('is not found in %j', (text) => {
    expect(openThinking(text)).toBeUndefined();
  });

  it('M10 takes a signature of 10 MB', () => {
    const block = { type: 'thinking', thinking: 'x', signature: 'S'.repeat(10_000_000) };
    expect(openThinking(sealThinking(block))).toEqual(block);
  });
});
