import { access } from 'node:fs/promises';
import { Argument, type Command } from 'commander';
import type { UpstreamOptions } from '@turnwire/bridge';
import { shownDiff, unifiedDiff } from '@turnwire/agent/internal/patch/diff';
import { createHttpTransport } from '@turnwire/client/internal/transport/http';
import { askYes } from './ask.ts';
import { canAsk } from './ask-line.ts';
import { claudeSetup } from './clients/claude.ts';
import type { ConfigurableClient, SetupTarget } from './clients/client.ts';
import { codexSetup } from './clients/codex.ts';
import { continueSetup } from './clients/continue.ts';
import { opencodeSetup } from './clients/opencode.ts';
import { zedSetup } from './clients/zed.ts';
import { bridgeUrlOf, DEFAULT_BRIDGE_URL } from './bridge-url.ts';
import type { CommandScope } from './command-scope.ts';
import type { CliContext } from './context.ts';
import { exitCode, UsageError } from './exit.ts';
import { createCommand, flag, numberFlag } from './flags.ts';
import type { Output } from './output.ts';
import { proxyFromEnv } from './proxy.ts';
import { chooseServer, type ModelServer } from './servers/choose-server.ts';
import { findLocalServers } from './servers/local-servers.ts';
import { KeptFile } from './setup/kept-file.ts';
import { EditError } from './setup/text-style.ts';
import { addUpstreamFlags, type UpstreamFlags } from './upstream-flags.ts';

/** The clients whose files can be written, in the order of the help. */
const clients: readonly ConfigurableClient[] = [codexSetup, claudeSetup, opencodeSetup, continueSetup, zedSetup];

interface SetupFlags extends UpstreamFlags {
  readonly url: string;
  readonly authTokenEnv?: string;
  readonly webSearch?: boolean;
  readonly contextWindow?: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly restore?: boolean;
}

const COMMAND = 'turnwire setup';

export function createSetupCommand({ cli, out, done }: CommandScope): Command {
  const command = createCommand(COMMAND, "Writes a client's own configuration, so that it talks to a bridge.", example)
    .addArgument(new Argument('<client>', 'whose configuration').choices(clients.map(({ name }) => name)))
    .addOption(
      flag('--url <url>', 'address of the bridge', DEFAULT_BRIDGE_URL).default(DEFAULT_BRIDGE_URL, DEFAULT_BRIDGE_URL),
    )
    .addOption(flag('--model <name>', 'the model to use', "the server's only one; of several it is asked"))
    .addOption(
      numberFlag('--context-window <tokens>', "size of the model's context window", 1, 'what the server tells'),
    )
    .addOption(flag('--auth-token-env <variable>', "the variable with the bridge's token, as it has it", 'no token'))
    .addOption(flag('--web-search', 'let Codex search the web: the bridge has a --search-url', 'off'))
    .addOption(flag('--dry-run', 'show the change, and write nothing', 'off'))
    .addOption(flag('--yes', 'write without asking', 'it is asked'))
    .addOption(flag('--restore', 'make the file what it was before', 'off'));
  addUpstreamFlags(command, 'a server of this machine is looked for');
  return command.action(async (name: string, flags: SetupFlags) => {
    const client = clients.find((known) => known.name === name);
    if (client === undefined) throw new UsageError(`unknown client ${name}`);
    const file = new KeptFile(await placeOf(client, cli), client.name, cli);
    if (flags.restore === true) await restore(file, flags, { cli, out });
    else {
      const given = (flagName: string): boolean => command.getOptionValueSource(flagName) === 'cli';
      await write(client, file, await planOf(flags, given, cli), flags, { cli, out });
    }
    done(exitCode.done);
  });
}

const example = ['turnwire setup codex --upstream http://127.0.0.1:8080', 'turnwire setup codex --restore'].join('\n');

interface Terminal {
  readonly cli: CliContext;
  readonly out: Output;
}

async function placeOf({ files, rival }: ConfigurableClient, cli: CliContext): Promise<string> {
  const places = files(cli);
  for (const place of places) if (await exists(place)) return place;
  const other = rival?.(cli);
  const [first] = places;
  if (first === undefined) throw new UsageError('there is no place for its file');
  if (other !== undefined && (await exists(other))) {
    throw new UsageError(`${other} would not be read any more beside ${first}: turn it into ${first} first`);
  }
  return first;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** How a client is set up, and what is left to do beside it. */
interface Plan {
  readonly target: SetupTarget;
  readonly hints: readonly string[];
}

async function planOf(flags: SetupFlags, given: (name: string) => boolean, cli: CliContext): Promise<Plan> {
  const url = bridgeUrlOf(flags.url);
  const about = { url, tokenVariable: flags.authTokenEnv, search: flags.webSearch === true };
  if (flags.model !== undefined && flags.upstream === undefined && flags.provider === undefined) {
    return { target: { ...about, model: flags.model, contextWindow: flags.contextWindow }, hints: [] };
  }
  const bridge = flags.upstream === undefined && flags.provider === undefined ? await runningBridge(url, cli) : [];
  const question = { command: COMMAND, given };
  const chosen = await chooseServer(bridge.length === 0 ? flags : { ...flags, upstream: bridge }, question, cli);
  const target = { ...about, model: chosen.model, contextWindow: chosen.contextWindow };
  return { target, hints: bridge.length === 0 ? [`Start the bridge: ${bridgeCommand(flags, chosen)}`] : [] };
}

/** With the flags that name the same servers; those of a file are named by it. */
function bridgeCommand(flags: SetupFlags, { upstreams: { upstreams } }: ModelServer): string {
  const isOfFile = flags.upstream === undefined && upstreams.some(({ wire }) => wire !== undefined);
  const keysOf = ({ keys = [] }: UpstreamOptions): readonly string[] =>
    keys.flatMap(({ source }) => (source?.startsWith('--env-key ') === true ? [source] : []));
  const words = isOfFile
    ? [
        ...(flags.provider ?? []).map((name) => `--provider ${name}`),
        ...(flags.codexConfig === true ? ['--codex-config'] : []),
      ]
    : upstreams.flatMap((one) => [`--upstream ${one.url}`, ...keysOf(one)]);
  const wire = flags.wire === 'auto' ? [] : [`--wire ${flags.wire}`];
  const token = flags.authTokenEnv === undefined ? [] : [`--auth-token-env ${flags.authTokenEnv}`];
  return ['turnwire bridge', ...words, ...wire, ...token].join(' ');
}

/** The bridge itself knows best what it serves; nothing where it does not run yet. */
async function runningBridge(url: string, cli: CliContext): Promise<readonly string[]> {
  const transport = createHttpTransport({ proxy: proxyFromEnv(cli.env) });
  try {
    const found = await findLocalServers(transport, [{ name: 'turnwire bridge', baseUrl: `${url}/v1` }]);
    return found.map(({ baseUrl }) => baseUrl);
  } finally {
    await transport.close();
  }
}

async function write(
  client: ConfigurableClient,
  file: KeptFile,
  { target, hints }: Plan,
  flags: SetupFlags,
  terminal: Terminal,
): Promise<void> {
  const before = await file.read();
  const after = Buffer.from(await edited(client, file.path, before, target));
  const { cli } = terminal;
  if (before?.equals(after) === true) {
    cli.stderr.write(`${COMMAND}: ${file.path} is as it should be\n`);
    return;
  }
  if (!(await isWanted(file.path, before, after, flags, terminal))) return;
  await file.write(before, after);
  const isNew = (await file.kept())?.before === undefined;
  const kept = isNew ? 'it was not there before' : `what it was before is in ${file.backup}`;
  cli.stderr.write(`${COMMAND}: ${file.path} is written; ${kept}. Back: ${COMMAND} ${client.name} --restore\n`);
  for (const hint of [...hints, ...client.hints(target)]) cli.stderr.write(`${COMMAND}: ${hint}\n`);
}

async function edited(
  client: ConfigurableClient,
  path: string,
  before: Buffer | undefined,
  target: SetupTarget,
): Promise<string> {
  try {
    return await client.edit(textOf(before ?? Buffer.alloc(0)), target);
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    throw new UsageError(`${path} is left as it is: ${error.message}`, { cause: error });
  }
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new EditError('it is not UTF-8', { cause: error });
  }
}

async function restore(file: KeptFile, flags: SetupFlags, terminal: Terminal): Promise<void> {
  const kept = await file.kept();
  if (kept === undefined)
    throw new UsageError(`nothing is kept of ${file.path}: it was not written here, or is restored`);
  const now = await file.read();
  const isChanged = kept.isChanged(now);
  if (isChanged)
    terminal.cli.stderr.write(`${COMMAND}: ${file.path} was changed by somebody else since it was written here\n`);
  if (!(await isWanted(file.path, now, kept.before, flags, terminal))) return;
  const replaced = await file.restore(isChanged ? now : undefined);
  const lost = replaced === undefined ? '' : `; what it was until now is in ${replaced}`;
  terminal.cli.stderr.write(
    `${COMMAND}: ${file.path} is ${kept.before === undefined ? 'gone' : 'what it was'} again${lost}\n`,
  );
}

/** Shows the change, and asks for a yes. */
async function isWanted(
  path: string,
  before: Buffer | undefined,
  after: Buffer | undefined,
  { dryRun, yes }: SetupFlags,
  { cli, out }: Terminal,
): Promise<boolean> {
  const text = (bytes: Buffer | undefined): string | null => bytes?.toString() ?? null;
  await out.write(shownDiff(unifiedDiff(path, text(before), text(after))));
  if (dryRun === true) return false;
  if (yes === true) return true;
  if (!canAsk(cli))
    throw new UsageError('nothing is written without a yes: add --yes, or --dry-run to see the change alone');
  return await askYes(cli, 'Write this?');
}
