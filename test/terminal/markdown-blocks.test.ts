import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addText,
  emptySplitter,
  finishText,
  type Block,
  type Splitter,
} from '../../turnwire/src/terminal/markdown-blocks.ts';

function blocksOf(...pieces: readonly string[]): Block[] {
  let splitter: Splitter = emptySplitter;
  const blocks: Block[] = [];
  for (const piece of pieces) {
    const added = addText(splitter, piece);
    splitter = added.splitter;
    blocks.push(...added.blocks);
  }
  return [...blocks, ...finishText(splitter)];
}

const sources = (blocks: readonly Block[]): string[] => blocks.map((block) => block.source);

/** Text that has every kind of block in it, in any order. */
const line = fc.constantFrom(
  'A paragraph',
  '',
  '# Heading',
  '- item',
  '  more of it',
  '2. second',
  '| a | b |',
  '|---|---|',
  '```ts',
  '```',
  '~~~',
  'const a = 1;',
  '> quote',
  '    indented',
  'x'.repeat(5000),
  '日本語 👩‍👩‍👧 '.repeat(400),
);
const text = fc.array(line, { maxLength: 40 }).map((lines) => lines.join('\n'));

describe('blocks of a streamed text', () => {
  it('are finished by what follows, and never by a pause', () => {
    expect(sources(blocksOf('One\ntwo\n\n# Three\nfour\n- five\n- six\n\n  more\n\nseven'))).toEqual([
      'One\ntwo',
      '# Three',
      'four',
      '- five',
      '- six\n\n  more',
      'seven',
    ]);
  });

  it('stand apart, but items of a tight list do not', () => {
    const blocks = blocksOf('One\n- a\n- b\n\n- c\n\nend');
    expect(blocks.map((block) => [block.source, block.gap])).toEqual([
      ['One', true],
      ['- a', true],
      ['- b', false],
      ['- c', true],
      ['end', true],
    ]);
  });

  it('cut code into pieces that know what is before them', () => {
    const code = Array.from({ length: 40 }, (_, at) => `line ${at}`);
    const blocks = blocksOf(`\`\`\`js\n${code.join('\n')}\n\`\`\`\nafter`);
    expect(blocks.map((block) => block.type)).toEqual(['code', 'code', 'code', 'text']);
    expect(sources(blocks.slice(0, 3)).join('\n')).toBe(code.join('\n'));
    expect(blocks[1]).toMatchObject({ gap: false, before: code.slice(0, 16).join('\n') });
  });

  it('are none where a fence has nothing in it, or ends where a piece did', () => {
    expect(blocksOf('```js\n```\n')).toEqual([]);
    const code = Array.from({ length: 16 }, (_, at) => `line ${at}`).join('\n');
    expect(sources(blocksOf(`\`\`\`\n${code}\n\`\`\`\n`))).toEqual([code]);
    expect(sources(blocksOf(`\`\`\`\n${code}\n\n\`\`\`\n`))).toEqual([code, '']);
  });

  it('keep a table together, and a fence longer than its content', () => {
    const table = '| a | b |\n|---|---|\n| 1 | 2 |';
    expect(sources(blocksOf(`Table:\n${table}\n\nafter`))).toEqual(['Table:', table, 'after']);
    expect(sources(blocksOf('````md\n```\n````\nx'))).toEqual(['```', 'x']);
  });

  it('are bounded when a paragraph, a line or a table has no end', () => {
    for (const endless of [
      'word '.repeat(20_000),
      'x'.repeat(50_000),
      'a line\n'.repeat(10_000),
      '|a|\n'.repeat(20_000),
    ]) {
      const blocks = blocksOf(endless);
      expect(Math.max(...blocks.map((block) => block.source.length))).toBeLessThan(20_000);
      expect(sources(blocks).join('').replaceAll(/\s/g, '')).toBe(endless.replaceAll(/\s/g, ''));
    }
  });

  it('are the same however the text is cut', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(400), { maxLength: 30 }), (whole, cuts) => {
        const pieces: string[] = [];
        let at = 0;
        for (const cut of cuts) {
          pieces.push(whole.slice(at, at + cut));
          at += cut;
        }
        expect(blocksOf(...pieces, whole.slice(at))).toEqual(blocksOf(whole));
      }),
      { numRuns: 200 },
    );
  });

  it('lose no character', () => {
    fc.assert(
      fc.property(text, (whole) => {
        const visible = (blocks: readonly Block[]): string => sources(blocks).join('').replaceAll(/\s/g, '');
        const fences = /^ {0,8}(?:`{3,}|~{3,})\S*$/;
        const wanted = whole
          .split('\n')
          .filter((one) => !fences.test(one))
          .join('')
          .replaceAll(/\s/g, '');
        // A fence of the other kind inside a fence is code.
        expect(visible(blocksOf(whole)).replaceAll(/[`~]{3}(?:ts)?/g, '')).toBe(wanted);
      }),
      { numRuns: 100 },
    );
  });
});
