import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Inspector } from '@turnwire/bridge/internal/inspect/inspector';
import { randomHex } from '@turnwire/client/internal/platform/random';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import type { CommandScope } from './command-scope.ts';
import { exitCode } from './exit.ts';
import { createCommand, flag, numberFlag } from './flags.ts';
import { pageOfInspector } from './inspect-flags.ts';
import { PastServer } from './past/past-server.ts';
import { findPast, PastSource } from './past/past-source.ts';
import { cannotListen, untilStopped, withServerInfo } from './serve.ts';
import { tapeOfRecords } from './tape-of-records.ts';

interface InspectCommandFlags {
  readonly keep: number;
  readonly port: number;
  readonly serverInfo?: string;
}

export function createInspectCommand({ cli, out, done }: CommandScope): Command {
  return createCommand('turnwire inspect', 'Shows exchanges of the past in the browser.', example)
    .argument('<files...>', 'traces (bridge --trace-dir), tapes (record), or folders of them')
    .addOption(numberFlag('--keep <n>', 'files that are shown, the newest', 1, 10_000))
    .addOption(numberFlag('--port <n>', 'port to listen on; 0 takes a free one', 0, 0))
    .addOption(flag('--server-info <file>', 'write {"port","pid","url"} to this file once it listens', 'off'))
    .action(async (names: readonly string[], flags: InspectCommandFlags) => {
      const files = await findPast(
        names.map((name) => resolve(cli.cwd, name)),
        flags.keep,
      );
      const tell = (text: string): void => void cli.stderr.write(`turnwire inspect: ${text}\n`);
      if (files.left > 0) tell(`${files.left} older files are not shown (--keep)`);
      const source = new PastSource(files.paths, (file, problem) => tell(`${file}: ${problem}`));
      const inspector = await createInspector(source);
      const server = new PastServer(inspector);
      await server.listen(flags.port).catch((error: unknown) => {
        throw cannotListen(error, flags.port);
      });
      const stop = new AbortController();
      const stopped = untilStopped(cli);
      try {
        await withServerInfo(flags.serverInfo, server, cli, async () => {
          await out.write(`turnwire inspect: ${countOf(files.paths)}, see ${server.url}${inspector.link}\n`);
          const loading = source.load(stop.signal);
          await stopped;
          stop.abort();
          await loading;
        });
      } finally {
        await server.close();
      }
      done(exitCode.done);
    });
}

const example = 'turnwire bridge --upstream http://127.0.0.1:8080 --trace-dir traces\nturnwire inspect traces';

async function createInspector(source: PastSource): Promise<Inspector> {
  const page = await pageOfInspector();
  return new Inspector({ source, page, token: randomHex(16), clock: systemClock, toTape: tapeOfRecords });
}

function countOf({ length }: readonly string[]): string {
  return length === 1 ? '1 exchange' : `${length} exchanges`;
}
