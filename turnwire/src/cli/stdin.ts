import type { CliContext } from './context.ts';
import { describeSystemError, UsageError } from './exit.ts';

/** What stdin gave a command: each part `undefined` when it was not asked for. */
export interface StdinParts {
  readonly apiKey?: string;
  readonly prompt?: string;
}

export interface StdinWanted {
  /** The first line is the key. */
  readonly apiKey: boolean;
  /** What is left is the prompt. */
  readonly prompt: boolean;
}

/**
 * Reads stdin to its end and takes it apart. Not read at all when nothing of it is wanted.
 *
 * @throws UsageError when a part is missing; never showing what was read
 */
export async function readStdin(wanted: StdinWanted, cli: CliContext): Promise<StdinParts> {
  if (!wanted.apiKey && !wanted.prompt) return {};
  const text = await readAll(cli);
  const lineEnd = text.indexOf('\n');
  const rest = !wanted.apiKey ? text : lineEnd < 0 ? '' : text.slice(lineEnd + 1);
  const apiKey = (lineEnd < 0 ? text : text.slice(0, lineEnd)).trim();
  if (wanted.apiKey && apiKey === '') throw new UsageError('--api-key-stdin: the first line of stdin is empty');
  if (wanted.prompt && rest.trim() === '') throw new UsageError('no prompt: stdin is empty');
  return { ...(wanted.apiKey ? { apiKey } : {}), ...(wanted.prompt ? { prompt: rest.trimEnd() } : {}) };
}

async function readAll(cli: CliContext): Promise<string> {
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  try {
    for await (const chunk of cli.stdin as AsyncIterable<Uint8Array>)
      pieces.push(decoder.decode(chunk, { stream: true }));
  } catch (error) {
    throw new UsageError(`cannot read stdin: ${describeSystemError(error)}`);
  }
  return pieces.join('') + decoder.decode();
}
