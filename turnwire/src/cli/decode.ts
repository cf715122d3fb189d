import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { orList } from '@turnwire/wire/internal/base/or-list';
import type { DecoderOptions, ProtocolId } from '@turnwire/wire/internal/decoder';
import { addAnswerFlags, answerOptionsOf, type AnswerFlags } from './answer-flags.ts';
import type { CommandScope } from './command-scope.ts';
import type { InputStream } from './context.ts';
import { decodeBatch } from './decode-batch.ts';
import { decodeStream } from './decode-stream.ts';
import { exitCode, UsageError } from './exit.ts';
import { createCommand, flag, numberFlag } from './flags.ts';
import { isTapeFile } from './is-tape-file.ts';
import { protocolIds } from '@turnwire/wire/internal/protocols';

interface DecodeFlags extends AnswerFlags {
  readonly wire?: ProtocolId;
  readonly usageAsked?: boolean;
  readonly usageGrace: number;
  readonly tokenLimit?: boolean;
  readonly onClose: 'error' | 'complete';
  readonly toolCallsOnStop: 'drop' | 'promote';
  readonly chunkSize?: number;
  readonly batch?: boolean;
}

export function createDecodeCommand({ cli, out, done }: CommandScope): Command {
  const command = createCommand('turnwire decode', 'Raw stream bytes in, canonical events out.', example)
    .argument(
      '[file]',
      'the bytes as a server sent them: SSE, or one finished JSON body; or a tape; - is stdin (default: -)',
    )
    .addOption(
      flag('--wire <wire>', 'the protocol of the bytes', 'that of a tape; else it has to be given').choices(
        protocolIds,
      ),
    )
    .addOption(flag('--usage-asked', 'the request asked for usage: wait for it after the finish', 'off'))
    .addOption(numberFlag('--usage-grace <ms>', 'how long to wait for usage after the finish', 0, 250))
    .addOption(flag('--token-limit', 'the request set a token limit: "length" means incomplete', 'off'))
    .addOption(choice('--on-close <what>', 'what a close without an end means', ['error', 'complete']))
    .addOption(
      choice('--tool-calls-on-stop <what>', 'what becomes of tool calls that end in "stop"', ['drop', 'promote']),
    )
    .addOption(numberFlag('--chunk-size <bytes>', 'cut the input into chunks of this size', 1, 'as the input arrives'))
    .addOption(flag('--batch', 'stdin is JSON lines {"wire","b64","options"?}, one line out for each', 'off'));
  return addAnswerFlags(command).action(async (file: string | undefined, flags: DecodeFlags) => {
    const options = decoderOptions(flags);
    if (file !== undefined && file !== '-' && flags.batch !== true && (await isTapeFile(file, cli))) {
      const [{ readOneTape }, { decodeTape }] = await Promise.all([
        import('./read-tapes.ts'),
        import('./decode-tape.ts'),
      ]);
      const exchange = await readOneTape(file, 'turnwire decode', cli);
      const how = { wire: flags.wire, options, graceMs: flags.usageGrace, chunkSize: flags.chunkSize };
      done((await decodeTape(exchange, how, out, cli)) === undefined ? exitCode.done : exitCode.failed);
      return;
    }
    const input = openInput(file, cli);
    if (flags.batch === true) {
      await decodeBatch({ input, out, wire: flags.wire, options, chunkSize: flags.chunkSize });
      done(exitCode.done);
      return;
    }
    if (flags.wire === undefined) throw new UsageError(`--wire is needed: ${orList(protocolIds)}`);
    const source = { input, wire: flags.wire, options, graceMs: flags.usageGrace, chunkSize: flags.chunkSize };
    const failure = await decodeStream(source, out, cli.stderr);
    done(failure === undefined ? exitCode.done : exitCode.failed);
  });
}

const example = 'curl -sN http://127.0.0.1:8080/v1/chat/completions -d @request.json | turnwire decode --wire chat';

function choice(flags: string, description: string, values: readonly [string, string]): Option {
  return new Option(flags, description).choices(values).default(values[0]);
}

function openInput(file: string | undefined, cli: CommandScope['cli']): InputStream {
  return file === undefined || file === '-' ? cli.stdin : createReadStream(resolve(cli.cwd, file));
}

function decoderOptions(flags: DecodeFlags): DecoderOptions {
  return {
    usageAsked: flags.usageAsked ?? false,
    tokenLimit: flags.tokenLimit ?? false,
    onClose: flags.onClose,
    toolCallsOnStop: flags.toolCallsOnStop,
    ...answerOptionsOf(flags),
  };
}
