import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { parseTrace, type ParsedTrace } from '@turnwire/bridge/internal/observe/read-trace';
import { encodeExchange } from '@turnwire/testing/internal/tape/encode';
import { TapeFolder } from '@turnwire/testing/internal/tape/writer';
import type { CommandScope } from './command-scope.ts';
import type { CliContext } from './context.ts';
import { describeSystemError, exitCode, UsageError } from './exit.ts';
import { createCommand, flag } from './flags.ts';
import { tapesOfTrace } from './trace-tapes.ts';

interface FromTraceFlags {
  readonly out?: string;
}

const COMMAND = 'turnwire tape from-trace';

export function createTapeFromTraceCommand({ cli, out, done }: CommandScope): Command {
  return createCommand('from-trace', 'Makes tapes of what the model servers of a bridge sent.', example)
    .argument('<trace...>', 'files of turnwire bridge --trace-dir, or folders of them')
    .addOption(flag('-o, --out <dir>', 'folder for the tapes, one file for each server that was asked', 'tapes'))
    .action(async (paths: readonly string[], { out: folder = 'tapes' }: FromTraceFlags) => {
      const files = (await Promise.all(paths.map((path) => traceFiles(path, cli)))).flat();
      const tapes = openFolder(folder, cli);
      for (const file of files) await out.write(await convert(file, tapes, cli));
      done(exitCode.done);
    });
}

const example = [
  'turnwire bridge --upstream http://127.0.0.1:8080 --trace-dir traces',
  'turnwire tape from-trace traces --out tapes',
].join('\n');

function openFolder(path: string, cli: CliContext): TapeFolder {
  try {
    return new TapeFolder(resolve(cli.cwd, path));
  } catch (error) {
    throw new UsageError(`--out: cannot use ${path}: ${describeSystemError(error)}`);
  }
}

async function traceFiles(path: string, cli: CliContext): Promise<readonly string[]> {
  const full = resolve(cli.cwd, path);
  const found = await stat(full).catch(() => undefined);
  if (found === undefined) throw new UsageError(`no such trace: ${path}`);
  if (!found.isDirectory()) return [path];
  const names = (await readdir(full)).filter((name) => name.endsWith('.jsonl')).sort();
  if (names.length === 0) throw new UsageError(`no trace in ${path}`);
  return names.map((name) => join(path, name));
}

/** Writes the tapes of one trace, and says which, and what of them is not as it was. */
async function convert(file: string, folder: TapeFolder, cli: CliContext): Promise<string> {
  const trace = await readTrace(file, cli);
  const lines: string[] = [];
  for (const { exchange, lost } of tapesOfTrace(trace)) {
    const name = folder.nameFor(exchange.request.method, exchange.request.target);
    const path = join(folder.path, name);
    await writeFile(path, encodeExchange(exchange), { mode: 0o600, flag: 'wx' });
    const exact = lost.length === 0 ? 'exact to the byte' : lost.join('; ');
    lines.push(`${path}: ${exact}\n`);
  }
  if (lines.length === 0) cli.stderr.write(`${COMMAND}: ${file}: no model server was asked\n`);
  return lines.join('');
}

async function readTrace(file: string, cli: CliContext): Promise<ParsedTrace> {
  let text: string;
  try {
    text = await readFile(resolve(cli.cwd, file), 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${describeSystemError(error)}`);
  }
  const trace = parseTrace(text);
  if (trace === undefined) throw new UsageError(`${file} is no trace of a bridge (turnwire bridge --trace-dir)`);
  if (trace.problem !== undefined) cli.stderr.write(`${COMMAND}: ${file}: ${trace.problem}\n`);
  return trace;
}
