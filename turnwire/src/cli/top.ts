import type { Command } from 'commander';
import type { ListMessage } from '@turnwire/bridge/internal/inspect/api';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { wait } from '@turnwire/client/internal/platform/wait';
import { createHttpTransport } from '@turnwire/client/internal/transport/http';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { bridgeUrlOf, DEFAULT_BRIDGE_URL } from './bridge-url.ts';
import type { CommandScope } from './command-scope.ts';
import type { CliContext } from './context.ts';
import { describeFailure, exitCode } from './exit.ts';
import { createCommand, flag, numberFlag } from './flags.ts';
import { proxyFromEnv } from './proxy.ts';
import { askForExchanges, type AskedBridge } from './top-bridge.ts';
import { TopScreen } from './top-screen.ts';
import { inOrder, tableLines } from './top-table.ts';
import { unset } from './upstream-keys.ts';

interface TopFlags {
  readonly url: string;
  readonly authTokenEnv?: string;
  readonly interval: number;
  readonly once?: boolean;
  readonly json?: boolean;
}

/** What a bridge told, or why it did not. */
type Told = ListMessage | { readonly error: string };

/** A pipe is as wide as the longest line. */
const NO_LIMIT = { columns: 10_000, rows: 10_000 };

export function createTopCommand(scope: CommandScope): Command {
  const { cli, out, done } = scope;
  return createCommand('turnwire top', 'Shows what runs in a bridge, and why it waits.', example)
    .addOption(
      flag('--url <url>', 'address of the bridge', DEFAULT_BRIDGE_URL).default(DEFAULT_BRIDGE_URL, DEFAULT_BRIDGE_URL),
    )
    .addOption(flag('--auth-token-env <variable>', "the variable with the bridge's token, as it has it", 'no token'))
    .addOption(numberFlag('--interval <ms>', 'how often it is asked', 100, 1000))
    .addOption(flag('--once', 'print the table once, and end', 'only where stdout is no terminal'))
    .addOption(flag('--json', 'print one JSON line each time instead of a table', 'off'))
    .action(async (flags: TopFlags) => {
      const bridge = { url: bridgeUrlOf(flags.url), token: tokenOf(flags, cli) };
      const once = flags.once === true || (flags.json !== true && cli.stdout.isTTY !== true);
      const show = flags.json === true ? jsonLines(out) : once ? plainTable(scope) : undefined;
      if (show !== undefined) done(await follow(bridge, { ...flags, once }, cli, out.closed, show));
      else {
        using screen = new TopScreen(cli.stdout, bridge.url);
        done(await follow(bridge, { ...flags, once }, cli, out.closed, (told) => screen.show(told)));
      }
    });
}

const example = 'turnwire top --url http://127.0.0.1:18080';

/** Asks again and again until a signal, or once. */
async function follow(
  bridge: AskedBridge,
  { once, interval }: Pick<TopFlags, 'once' | 'interval'>,
  cli: CliContext,
  closed: AbortSignal,
  show: (told: Told) => Promise<void> | void,
): Promise<number> {
  const stop = new AbortController();
  const offs = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => cli.onSignal(name, () => stop.abort()));
  const signal = AbortSignal.any([stop.signal, closed]);
  const transport = createHttpTransport({ proxy: proxyFromEnv(cli.env) });
  try {
    while (!signal.aborted) {
      const told = await ask(bridge, transport, signal);
      if (isOver(signal)) break;
      await show(told);
      if (once === true) return 'error' in told ? exitCode.failed : exitCode.done;
      await wait(systemClock, interval, signal);
    }
    return exitCode.done;
  } finally {
    for (const off of offs) off();
    await transport.close();
  }
}

/** The compiler takes it for unchanged since it was read last. */
function isOver({ aborted }: AbortSignal): boolean {
  return aborted;
}

async function ask(...asking: Parameters<typeof askForExchanges>): Promise<Told> {
  try {
    return await askForExchanges(...asking);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { error: describeFailure(error) };
  }
}

function jsonLines(out: CommandScope['out']): (told: Told) => Promise<void> {
  return (told) => out.writeLines(['error' in told ? told : { now: told.now, exchanges: inOrder(told.rows) }]);
}

function plainTable({ out, cli }: CommandScope): (told: Told) => Promise<void> {
  return async (told) => {
    if ('error' in told) cli.stderr.write(`turnwire top: ${told.error}\n`);
    else await out.write(`${tableLines(told, NO_LIMIT).join('\n')}\n`);
  };
}

function tokenOf({ authTokenEnv: variable }: TopFlags, cli: CliContext): string | undefined {
  if (variable === undefined) return undefined;
  const token = (cli.env[variable] ?? '').trim();
  if (token === '') throw unset('--auth-token-env', variable);
  return token;
}
