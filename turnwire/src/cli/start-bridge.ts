import { destination, type DestinationStream } from 'pino';
import { BridgeOptionsError, createBridge, type Bridge, type BridgeOptions } from '@turnwire/bridge';
import { visibleJson } from '@turnwire/wire/internal/base/printable';
import { UsageError } from './exit.ts';
import { cannotListen } from './serve.ts';

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
    if (error instanceof BridgeOptionsError) throw new UsageError(error.message);
    const cannot = cannotListen(error, options.port);
    if (cannot !== error) throw cannot;
    throw new UsageError(`the bridge cannot start: ${error instanceof Error ? error.message : 'unknown'}`);
  }
}

/** A log is read in a terminal: its values are the same, with every hidden character of a stranger's text as `\u202e`. */
export function stderrLog(): DestinationStream {
  const stderr = destination({ dest: 2, sync: true });
  return { write: (line) => void stderr.write(visibleJson(line)) };
}
