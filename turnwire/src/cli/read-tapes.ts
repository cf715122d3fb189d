import { resolve } from 'node:path';
import { MockUsageError, readTape, type TapedExchange } from '@turnwire/testing';
import type { CliContext } from './context.ts';
import { describeSystemError, UsageError } from './exit.ts';

/**
 * The exchanges of a tape, or of a folder of them; what is torn is told on stderr.
 *
 * @param command - as its messages begin
 * @throws UsageError when there is no exchange
 */
export async function readTapes(name: string, command: string, cli: CliContext): Promise<readonly TapedExchange[]> {
  try {
    const { exchanges, problems } = await readTape(resolve(cli.cwd, name));
    for (const { file, message } of problems) cli.stderr.write(`${command}: ${file}: ${message}\n`);
    if (exchanges.length === 0) throw new UsageError(`${name} holds no exchange`);
    return exchanges;
  } catch (error) {
    if (error instanceof MockUsageError) throw new UsageError(error.message, { cause: error });
    if (error instanceof Error && 'path' in error)
      throw new UsageError(`cannot read ${name}: ${describeSystemError(error)}`, { cause: error });
    throw error;
  }
}

/** The one exchange of a tape. */
export async function readOneTape(name: string, command: string, cli: CliContext): Promise<TapedExchange> {
  const [first, ...more] = await readTapes(name, command, cli);
  if (first === undefined || more.length > 0)
    throw new UsageError(`${name} holds ${more.length + 1} exchanges: name one of its tapes`);
  return first;
}
