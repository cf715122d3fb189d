import { destination, type DestinationStream } from 'pino';
import { BridgeOptionsError, createBridge, type Bridge, type BridgeOptions } from '@turnwire/bridge';
import { visibleJson } from '@turnwire/wire/internal/base/printable';
import { ServerProblem, UsageError } from './exit.ts';
import type { CliContext } from './context.ts';
import { cannotListen } from './serve.ts';
import { rawStream } from './output.ts';
import { createTextLog, INDENT } from './text-log.ts';

/**
 * A bridge that listens.
 *
 * @throws UsageError for options that cannot be served, a port that cannot be had, a store that cannot be opened
 */
export async function startBridge(options: BridgeOptions & { readonly port: number }): Promise<Bridge> {
  try {
    const bridge = createBridge(options);
    await bridge.listen();
    return bridge;
  } catch (error) {
    throw cannotStart(error, options.port);
  }
}

/** Why a bridge cannot start, as the user's to mend where it is. */
export function cannotStart(error: unknown, port: number): unknown {
  if (error instanceof UsageError || error instanceof ServerProblem) return error;
  if (error instanceof BridgeOptionsError) return new UsageError(error.message);
  const cannot = cannotListen(error, port);
  if (cannot !== error) return cannot;
  return new UsageError(`the bridge cannot start: ${error instanceof Error ? error.message : 'unknown'}`);
}

/**
 * - `auto`: `text` on a terminal, else `json`.
 * - `text`: lines for people.
 * - `json`: a JSON object per line.
 */
export const logFormats = ['auto', 'text', 'json'] as const;

export type LogFormat = (typeof logFormats)[number];

/** A terminal that does not tell its width, or has none to speak of. */
const USUAL_COLUMNS = 80;
const LEAST_COLUMNS = 40;

/** Where the log of a bridge goes: to stderr, which is read in a terminal sooner or later. */
export async function stderrLog(format: LogFormat, cli: CliContext): Promise<DestinationStream> {
  const stderr = destination({ dest: 2, sync: true });
  const isTerminal = cli.stderr.isTTY === true;
  if (format === 'json' || (format === 'auto' && !isTerminal)) {
    // The values are the same, with every hidden character of a stranger's text as `\u202e`.
    return { write: (line) => void stderr.write(visibleJson(line)) };
  }
  const write = (text: string): void => void stderr.write(text);
  if (!isTerminal) return createTextLog({ write, colour: false });
  // Its widths of characters alone: all of it takes a second, and 24 MB for as long as the bridge runs.
  const { wrapTextWithAnsi } = await import('@earendil-works/pi-tui/dist/utils.js');
  const terminal = rawStream(cli.stderr);
  const wrap = (line: string): string[] =>
    wrapTextWithAnsi(line, Math.max(LEAST_COLUMNS, terminal.columns ?? USUAL_COLUMNS) - INDENT.length);
  return createTextLog({ write, colour: (cli.env.NO_COLOR ?? '') === '', wrap });
}
