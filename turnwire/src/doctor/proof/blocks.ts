import type { TapedChunk } from '@turnwire/testing';

/** What of a chunk belongs to a block. */
interface Piece {
  /** Number of the chunk that it came in. */
  readonly chunk: number;
  readonly ms: number;
  readonly data: Uint8Array;
}

/** A part of a body up to and with the blank line behind it: an event of a stream, or a comment. */
export type Block = readonly Piece[];

/** A line end is CRLF, LF or CR (WHATWG HTML, 9.2.5); two of them are a blank line. */
const BLANK_LINE = /(?:\r\n|\n|\r(?!\n)){2,}/g;

/** Cuts a body behind each blank line; together the blocks are all of it, and know how they were cut and when they came. */
export function cutBlocks(chunks: readonly TapedChunk[]): readonly Block[] {
  const text = Buffer.concat(chunks.map(({ data }) => data)).toString('latin1'); // one character for each byte
  const ends = [...text.matchAll(BLANK_LINE)].map((match) => match.index + match[0].length);
  if (ends.at(-1) !== text.length && text !== '') ends.push(text.length);
  const blocks: Piece[][] = ends.map(() => []);
  let place = 0;
  let block = 0;
  for (const [chunk, { ms, data }] of chunks.entries()) {
    for (let from = 0; from < data.length;) {
      const to = Math.min(data.length, from + (ends[block] ?? Infinity) - place);
      blocks[block]?.push({ chunk, ms, data: data.subarray(from, to) });
      place += to - from;
      from = to;
      if (place === ends[block]) block++;
    }
  }
  return blocks;
}

/** The chunks of some blocks: what came in one chunk and stands together still does. */
export function joinBlocks(blocks: readonly Block[]): readonly TapedChunk[] {
  const chunks: { chunk: number; ms: number; data: Uint8Array }[] = [];
  for (const piece of blocks.flat()) {
    const last = chunks.at(-1);
    if (last?.chunk === piece.chunk) last.data = Buffer.concat([last.data, piece.data]);
    else chunks.push({ ...piece });
  }
  return chunks.map(({ ms, data }) => ({ ms, data }));
}

/** All bytes of a block. */
export function bytesOf(block: Block): Uint8Array {
  return Buffer.concat(block.map(({ data }) => data));
}

/** When the last byte of a block came. */
export function timeOf(block: Block): number {
  return block.at(-1)?.ms ?? 0;
}
