import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { readTrace } from '@turnwire/bridge/internal/inspect/trace-reader';
import type { PastExchange } from '@turnwire/bridge/internal/inspect/past';
import { parseTape } from '@turnwire/testing/internal/tape/tape';
import { isObject, parseJson } from '@turnwire/wire/internal/base/json';
import { pastOfTape } from './tape-entries.ts';

/** What a file holds, as far as it can be read. */
export interface ReadPast {
  readonly exchange: PastExchange | undefined;
  readonly problem: string | undefined;
}

/** Of a longer file the beginning and the end are read. */
const MOST_BYTES = 64 * 1024 * 1024;
const END_BYTES = 1024 * 1024;

/** Reads a trace or a tape, whichever it is. Rejects with Node's error for a file that cannot be read. */
export async function readPast(path: string): Promise<ReadPast> {
  const { text, cut } = await readText(path);
  const id = basename(path).replace(/(?:\.tape)?\.jsonl$/, '');
  const { exchange, problem } = readLines(id, text);
  return {
    exchange,
    problem: problem ?? (cut ? `it is longer than ${MOST_BYTES} bytes: its middle is not shown` : undefined),
  };
}

function readLines(id: string, text: string): ReadPast {
  const first = parseJson(text.split('\n', 1)[0] ?? '');
  if (!isObject(first) || first.tape === undefined) return readTrace(id, text);
  const { exchange, problems } = parseTape(id, text);
  return {
    exchange: exchange === undefined ? undefined : pastOfTape(id, exchange),
    problem: problems[0]?.message,
  };
}

async function readText(path: string): Promise<{ readonly text: string; readonly cut: boolean }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size <= MOST_BYTES) return { text: await file.readFile('utf8'), cut: false };
    const read = async (position: number, length: number): Promise<string> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead).toString();
    };
    const [head, tail] = [await read(0, MOST_BYTES - END_BYTES), await read(size - END_BYTES, END_BYTES)];
    return { text: head.slice(0, head.lastIndexOf('\n') + 1) + tail.slice(tail.indexOf('\n') + 1), cut: true };
  } finally {
    await file.close();
  }
}
