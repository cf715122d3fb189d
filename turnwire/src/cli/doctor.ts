import { Option, type Command } from 'commander';
import { DoctorUsageError, examine, examineTapes, type DoctorReport, type ProbeReport } from '../doctor/index.ts';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { protocolIds } from '@turnwire/wire/internal/protocols';
import type { CommandScope } from './command-scope.ts';
import type { CliContext } from './context.ts';
import { checkOutputFlags, readBaseline, writeReports, type OutputFlags } from './doctor-output.ts';
import { findServer, findServers, isTape, type ExaminedServer, type ServerFlags } from './doctor-servers.ts';
import { exitCode, UsageError } from './exit.ts';
import { createCommand, flag, numberFlag } from './flags.ts';
import { codexProfileFlag, trustProjectFlag } from './provider-flags.ts';
import { readTapes } from './read-tapes.ts';

interface DoctorFlags extends ServerFlags, OutputFlags {
  readonly wire?: ProtocolId;
  readonly timeout: number;
  readonly hold: number;
  readonly concurrency: number;
  readonly repeat?: number;
}

export function createDoctorCommand({ cli, out, done }: CommandScope): Command {
  return createCommand('turnwire doctor', 'Examines a model server and says what its wire does wrong.', example)
    .argument(
      '[server...]',
      'base URL of the server, /v1 is added when it has no path; or a tape, or a folder of tapes (default: that of --provider)',
    )
    .addOption(flag('--provider <name>', 'examine the server of [model_providers.NAME] of turnwire.toml', 'none'))
    .addOption(flag('--codex-config', 'take it from ~/.codex/config.toml instead', 'off'))
    .addOption(codexProfileFlag())
    .addOption(trustProjectFlag())
    .addOption(flag('--model <name>', 'the model to ask', 'the first that the server lists'))
    .addOption(new Option('--wire <wire>', 'examine this wire alone (default: all)').choices(protocolIds))
    .addOption(flag('--env-key <variable>', 'environment variable with the key', 'no key'))
    .addOption(flag('--api-key-stdin', 'the first line of stdin is the key', 'off'))
    .addOption(flag('--json', 'print one JSON object instead of a table', 'off'))
    .addOption(flag('--markdown', 'print markdown instead of a table', 'off'))
    .addOption(flag('--html <file>', 'write a page with the bytes that show each finding, too', 'off'))
    .addOption(flag('--junit <file>', 'write JUnit XML, too', 'off'))
    .addOption(flag('--baseline <file>', 'a --json report of before: fail for what got worse alone', 'off'))
    .addOption(flag('--matrix', 'several servers, URLs or names of providers, in one table', 'off'))
    .addOption(numberFlag('--repeat <n>', 'ask for a call so often, and tell how often it goes wrong', 1, 'off'))
    .addOption(numberFlag('--timeout <ms>', 'longest silence of the server', 1, 15_000))
    .addOption(numberFlag('--hold <ms>', 'how long a finished answer is watched for its end', 1, 3000))
    .addOption(numberFlag('--concurrency <n>', 'requests at the same time', 1, 3))
    .action(async (servers: readonly string[], flags: DoctorFlags) => {
      const stop = new AbortController();
      const off = cli.onSignal('SIGINT', () => stop.abort());
      try {
        checkOutputFlags(flags);
        const baseline = await readBaseline(flags.baseline, cli);
        const code = await writeReports(await examineAll(servers, flags, cli, stop.signal), baseline, flags, {
          cli,
          out,
        });
        done(stop.signal.aborted ? exitCode.interrupted : code);
      } finally {
        off();
      }
    });
}

const example = [
  'turnwire doctor http://127.0.0.1:8080 --model tiny --html report.html',
  'turnwire doctor tapes/0001-post-v1-chat-completions.tape.jsonl',
  'turnwire doctor --matrix http://127.0.0.1:8080 http://127.0.0.1:11434 --repeat 20',
].join('\n');

async function examineAll(
  names: readonly string[],
  flags: DoctorFlags,
  cli: CliContext,
  signal: AbortSignal,
): Promise<readonly DoctorReport[]> {
  if (flags.matrix === true) {
    const reports: DoctorReport[] = [];
    // One after the other: they may share a machine, and times are measured.
    for (const server of await findServers(names, flags, cli)) {
      if (signal.aborted) break;
      reports.push(await examineServer(server, flags, cli, signal, `${server.url}: `));
    }
    return reports;
  }
  const [name, ...more] = names;
  if (more.length > 0) throw new UsageError('one server is examined at a time; several: --matrix');
  if (name !== undefined && (await isTape(name, cli))) return [await examineRecorded(name, cli)];
  return [await examineServer(await findServer(name, flags, cli), flags, cli, signal, '')];
}

async function examineServer(
  { url, model, apiKey }: ExaminedServer,
  flags: DoctorFlags,
  cli: CliContext,
  signal: AbortSignal,
  prefix: string,
): Promise<DoctorReport> {
  const say = (text: string): void => void cli.stderr.write(`turnwire doctor: ${prefix}${text}\n`);
  try {
    return await examine({
      url,
      model,
      apiKey,
      wires: flags.wire === undefined ? undefined : [flags.wire],
      timeoutMs: flags.timeout,
      holdMs: flags.hold,
      concurrency: flags.concurrency,
      repeat: flags.repeat,
      signal,
      onProbe: (report) => say(progress(report)),
      onRound: (wire, round, times) => say(`${wire}, round ${round} of ${times}`),
    });
  } catch (error) {
    if (error instanceof DoctorUsageError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function progress({ wire, name, verdict }: ProbeReport): string {
  return `${wire}, ${name}: ${verdict}`;
}

async function examineRecorded(name: string, cli: CliContext): Promise<DoctorReport> {
  const exchanges = await readTapes(name, 'turnwire doctor', cli);
  return await examineTapes(
    name,
    exchanges,
    (report) => void cli.stderr.write(`turnwire doctor: ${progress(report)}\n`),
  );
}
