import { Option, type Command } from 'commander';
import { pino, type Logger } from 'pino';
import type { Bridge, BridgeMode, BridgeOptions, ReachState } from '@turnwire/bridge';
import { runWorker } from '@turnwire/bridge/internal/bridge';
import type { Port } from '@turnwire/bridge/internal/workers/channel';
import { looksSecret } from '@turnwire/client/internal/platform/secret-text';
import { announcement } from './announcement.ts';
import { addAnswerFlags, answerOptionsOf, type AnswerFlags } from './answer-flags.ts';
import { callersIn } from './bridge-callers.ts';
import { modelOptionsOf } from './bridge-models.ts';
import type { CommandScope } from './command-scope.ts';
import { ownConfigFile } from './configuration.ts';
import type { CliContext } from './context.ts';
import { exitCode, UsageError } from './exit.ts';
import { takeFlagsFromVariables } from './flag-variables.ts';
import { createCommand, flag, listFlag, numberFlag } from './flags.ts';
import { whyNotHealthy } from './health-check.ts';
import { addInspectFlags, inspectOptionsOf, type InspectFlags } from './inspect-flags.ts';
import { proxyFromEnv } from './proxy.ts';
import { addSearchFlags, searchOf, type SearchFlags } from './search-flags.ts';
import { untilStopped, withServerInfo } from './serve.ts';
import { cannotStart, logFormats, startBridge, stderrLog, type LogFormat } from './start-bridge.ts';
import {
  addUpstreamFlags,
  findUpstreams,
  type FoundUpstreams,
  type UpstreamFlags,
  type UpstreamQuestion,
} from './upstream-flags.ts';
import { secretFrom } from './upstream-keys.ts';
import { startWorkers, type ServedBridge, type WorkerOptions } from './workers/start-workers.ts';
import { workersFlag } from './workers/workers-flag.ts';

interface BridgeFlags extends AnswerFlags, SearchFlags, UpstreamFlags, InspectFlags {
  readonly mode: BridgeMode;
  readonly finalOnly?: boolean;
  readonly modelMap?: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly serverInfo?: string;
  readonly healthCheck?: boolean;
  readonly authTokenEnv?: string;
  readonly insecure?: boolean;
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly store: string;
  readonly storePasswordEnv?: string;
  readonly tools: 'auto' | 'native' | 'functions';
  readonly idleTimeout: number;
  readonly firstEventTimeout: number;
  readonly heartbeat: number;
  readonly resume: number;
  readonly usageGrace: number;
  readonly requestRetries: number;
  readonly toolCallsOnStop: 'drop' | 'promote';
  readonly systemAsUser?: boolean;
  readonly websocket: boolean;
  readonly workers: number;
  readonly warmUp: number;
  readonly maxStreams: number;
  readonly bodyLimit: number;
  readonly drainTimeout: number;
  readonly turnStateKeyEnv?: string;
  readonly logLevel: string;
  readonly logFormat: LogFormat;
  readonly traceDir?: string;
}

/** The announcement does not wait longer for servers that are slow, or are not there yet, in milliseconds. */
const NAMES_MS = 1000;

const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'];

export function createBridgeCommand({ cli, out, done }: CommandScope): Command {
  const command = createCommand(
    'turnwire bridge',
    'A Responses and Chat Completions server in front of any model server.',
    'turnwire bridge --upstream http://127.0.0.1:8080 --wire chat\nturnwire bridge --upstream http://127.0.0.1:8080 --workers auto',
  );
  addUpstreamFlags(command, 'none');
  addTranslationFlags(command);
  addServerFlags(command);
  addSearchFlags(command);
  addStreamFlags(command);
  addAnswerFlags(command);
  addInspectFlags(command);
  takeFlagsFromVariables(command, cli);
  return command.action(async (flags: BridgeFlags) => {
    if (flags.healthCheck === true) {
      const why = await whyNotHealthy(flags);
      if (why !== undefined) cli.stderr.write(`turnwire bridge: ${why}\n`);
      done(why === undefined ? exitCode.done : exitCode.failed);
      return;
    }
    const given = (name: string): boolean => ['cli', 'env'].includes(command.getOptionValueSource(name) ?? '');
    const options = await optionsOf(flags, given, cli);
    if (cli.parent !== undefined) {
      await runAsWorker(options, cli.parent, cli);
      done(exitCode.done);
      return;
    }
    const bridge = await startServed(flags, options, cli);
    // Listened for before anybody is told where we are: a client may be quick.
    const stopped = untilStopped(cli);
    try {
      await withServerInfo(flags.serverInfo, bridge, cli, async () => {
        void warnOfUnready(bridge, options.logger);
        const models = await bridge.models(AbortSignal.timeout(NAMES_MS));
        await out.write(announcement(bridge, { ...flags, models, model: options.model }));
        await Promise.race([stopped, bridge.over ?? stopped]);
      });
      done(exitCode.done);
    } finally {
      await bridge.close();
    }
  });
}

/** A bridge that listens: this process, or workers of it. */
async function startServed(flags: BridgeFlags, options: WorkerOptions, cli: CliContext): Promise<ServedBridge> {
  if (flags.workers === 1) return await startBridge(options);
  if (flags.inspect === true) {
    throw new UsageError('--inspect shows what happens in one process: leave --workers out, or use `turnwire top`');
  }
  const stdin = flags.apiKeyStdin === true ? `${options.apiKey?.() ?? ''}\n` : '';
  try {
    return await startWorkers(flags.workers, options, cli, stdin);
  } catch (error) {
    throw cannotStart(error, options.port);
  }
}

async function runAsWorker(options: WorkerOptions, parent: Port, cli: CliContext): Promise<void> {
  try {
    await runWorker(options, parent, untilStopped(cli));
  } catch (error) {
    throw cannotStart(error, options.port);
  }
}

function addTranslationFlags(command: Command): void {
  command
    .addOption(
      new Option('--mode <mode>', 'translate between the wires, hand bytes through, or send no deltas')
        .choices(['translate', 'passthrough', 'final-only'])
        .default('translate'),
    )
    .addOption(flag('--final-only', 'the same as --mode final-only', 'off'))
    .addOption(flag('--model <name>', 'the model of requests that name none', 'none'))
    .addOption(
      listFlag('--model-map <row>', "ask servers for another model: 'gpt-5*=qwen3'; may be given several times"),
    )
    .addOption(
      new Option('--tools <form>', "what a Responses upstream gets: the client's tools, or functions; auto by its host")
        .choices(['auto', 'native', 'functions'])
        .default('auto'),
    )
    .addOption(flag('--bearer-env <variable>', 'the same as --env-key', 'no key'))
    .addOption(flag('--api-key-stdin', "the first line of stdin is the upstreams' key", 'off'));
}

function addServerFlags(command: Command): void {
  command
    .addOption(new Option('--host <address>', 'address to listen on').default('127.0.0.1'))
    .addOption(numberFlag('--port <n>', 'port to listen on; 0 takes a free one', 0, 18_080))
    .addOption(flag('--server-info <file>', 'write {"port","pid","url"} to this file once it listens', 'off'))
    .addOption(flag('--health-check', 'ask the bridge on --host and --port whether it runs, and end', 'off'))
    .addOption(flag('--auth-token-env <variable>', 'environment variable with the token that callers send', 'none'))
    .addOption(flag('--insecure', 'listen beyond loopback without a token', 'off'))
    .addOption(listFlag('--allow-host <name>', 'a Host header to accept beside the loopback names'))
    .addOption(listFlag('--allow-origin <origin>', 'an Origin of web pages to accept'))
    .addOption(new Option('--store <store>', 'memory, sqlite:PATH or redis://HOST:PORT').default('memory'))
    .addOption(
      flag('--store-password-env <variable>', 'environment variable with the password of a redis store', 'none'),
    )
    .addOption(flag('--no-websocket', 'refuse WebSocket upgrades with 426', 'accepted'))
    .addOption(workersFlag())
    .addOption(
      numberFlag('--warm-up <ms>', 'how long its code is run before it listens: first answers come sooner', 0, 0),
    )
    .addOption(numberFlag('--max-streams <n>', 'open streams at one time', 1, 4096))
    .addOption(numberFlag('--body-limit <bytes>', 'largest request', 1, 64 * 1024 * 1024))
    .addOption(numberFlag('--drain-timeout <ms>', 'how long streams may finish after SIGTERM', 0, 30_000))
    .addOption(flag('--turn-state-key-env <variable>', 'environment variable with the key of turn states', 'random'))
    .addOption(new Option('--log-level <level>', 'how much is logged to stderr').choices(LOG_LEVELS).default('info'))
    .addOption(
      new Option('--log-format <format>', 'text is for people; auto is text on a terminal, else json')
        .choices(logFormats)
        .default('auto'),
    )
    .addOption(flag('--trace-dir <folder>', 'write every exchange there, without secrets', 'off'));
}

function addStreamFlags(command: Command): void {
  command
    .addOption(numberFlag('--idle-timeout <ms>', 'silence after which an upstream is given up; 0 is off', 0, 300_000))
    .addOption(
      numberFlag('--first-event-timeout <ms>', 'silence after which another upstream is asked; 0 is off', 0, 60_000),
    )
    .addOption(numberFlag('--heartbeat <ms>', 'no client sees a longer silence than this; 0 is off', 0, 10_000))
    .addOption(numberFlag('--resume <ms>', 'how long a streamed response goes on without its client; 0 is off', 0, 0))
    .addOption(numberFlag('--usage-grace <ms>', 'how long a finished chat answer waits for its usage', 0, 250))
    .addOption(numberFlag('--request-retries <n>', 'extra attempts at the only upstream before its first event', 0, 4))
    .addOption(
      flag('--system-as-user', 'send what the system says between turns as a text of the user', 'once it is refused'),
    )
    .addOption(
      new Option('--tool-calls-on-stop <rule>', 'what becomes of tool calls that end in stop')
        .choices(['drop', 'promote'])
        .default('promote'),
    );
}

type Given = UpstreamQuestion['given'];

async function optionsOf(flags: BridgeFlags, given: Given, cli: CliContext) {
  const level = { level: flags.logLevel };
  const own = await ownConfigFile(cli);
  return {
    mode: flags.finalOnly === true ? 'final-only' : flags.mode,
    host: flags.host,
    port: flags.port,
    store: storeOf(flags, cli),
    tools: flags.tools,
    idleTimeoutMs: flags.idleTimeout,
    firstEventTimeoutMs: flags.firstEventTimeout,
    heartbeatMs: flags.heartbeat,
    resumeMs: flags.resume,
    usageGraceMs: flags.usageGrace,
    requestMaxRetries: flags.requestRetries,
    toolCallsOnStop: flags.toolCallsOnStop,
    ...(flags.systemAsUser === true ? { systemAsUser: true } : {}),
    websocket: flags.websocket,
    warmUpMs: flags.warmUp,
    maxStreams: flags.maxStreams,
    bodyLimit: flags.bodyLimit,
    drainTimeoutMs: flags.drainTimeout,
    insecure: flags.insecure === true,
    allowedHosts: flags.allowHost ?? [],
    allowedOrigins: flags.allowOrigin ?? [],
    proxy: proxyFromEnv(cli.env),
    logger: pino({ ...level, base: null }, await stderrLog(flags.logFormat, cli)),
    ...modelOptionsOf(flags.modelMap ?? [], own),
    callers: await callersIn(own, cli),
    ...(flags.model === undefined ? {} : { model: flags.model }),
    ...(flags.traceDir === undefined ? {} : { traceDir: flags.traceDir }),
    ...searchOf(flags, cli),
    ...secretOf('authToken', '--auth-token-env', flags.authTokenEnv, cli),
    ...secretOf('turnStateKey', '--turn-state-key-env', flags.turnStateKeyEnv, cli),
    ...(await upstreamsOf(flags, given, cli)),
    ...answerOptionsOf(flags),
    ...(await inspectOptionsOf(flags)),
  } satisfies BridgeOptions;
}

async function upstreamsOf(flags: BridgeFlags, given: Given, cli: CliContext): Promise<FoundUpstreams> {
  const upstreams = await findUpstreams(flags, { command: 'turnwire bridge', given, place: flags }, cli);
  if (upstreams === undefined) throw new UsageError('an upstream is needed: --upstream URL, or --provider NAME');
  return upstreams;
}

function secretOf(
  option: 'authToken' | 'turnStateKey',
  flagName: string,
  variable: string | undefined,
  cli: CliContext,
): Partial<BridgeOptions> {
  return variable === undefined ? {} : { [option]: secretFrom(flagName, variable, cli) };
}

/** Whatever stands on the command line can be read by every user of the machine. */
function storeOf({ store, storePasswordEnv: variable }: BridgeFlags, cli: CliContext): string {
  const url = /^rediss?:/.test(store) ? URL.parse(store) : null;
  if (looksSecret(store) || (url !== null && url.password !== '')) {
    throw new UsageError('--store must not hold a password: name the variable that does with --store-password-env');
  }
  if (variable === undefined) return store;
  if (url === null) throw new UsageError('--store-password-env is for a redis:// store');
  url.password = encodeURIComponent(secretFrom('--store-password-env', variable, cli));
  return url.href;
}

/** Says at the start what the first request would come to know. */
async function warnOfUnready(bridge: Pick<Bridge, 'reach'>, logger: Logger): Promise<void> {
  for (const { upstream, state, error } of await bridge.reach()) {
    if (state !== 'up') logger.warn({ upstream, state, error }, unready[state]);
  }
}

const unready: Readonly<Record<Exclude<ReachState, 'up'>, string>> = {
  down: 'the upstream does not answer yet: start it, or name its address with --upstream; until then requests fail',
  silent:
    'the upstream takes connections and answers nothing: it may be busy, be loading its model, or be no HTTP server',
  no_model_server: 'the upstream is no model server: name the address of one with --upstream; until then requests fail',
  refuses_key: 'the upstream refuses the bridge: name the environment variable that holds its key with --env-key',
};
