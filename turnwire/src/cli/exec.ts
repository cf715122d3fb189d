import type { Command } from 'commander';
import { withCommand } from '@turnwire/agent/internal/project/prompt-commands';
import { isObject, parseJson } from '@turnwire/wire/internal/base/json';
import type { OutputSchema } from '@turnwire/wire/internal/model/request';
import { addAgentFlags, toolFolder, type AgentFlags } from './agent-flags.ts';
import type { CommandScope } from './command-scope.ts';
import { Configuration } from './configuration.ts';
import type { CliContext } from './context.ts';
import { UsageError } from './exit.ts';
import { execAgent } from './exec-agent.ts';
import { createCommand, flag, listFlag, numberFlag } from './flags.ts';
import { withImages } from './image-flag.ts';
import { openModel } from './open-model.ts';
import { usableCommands } from './usable-texts.ts';
import { addProviderFlags, type ProviderFlags } from './provider-flags.ts';
import { findRemembered } from './remembered-server.ts';
import { readStdin } from './stdin.ts';
import { threadStore } from './thread-store.ts';
import { readUserFile, textOrFile } from './user-file.ts';

export interface ExecFlags extends ProviderFlags, AgentFlags {
  readonly json?: boolean;
  readonly instructions?: string;
  readonly maxRequests: number;
  readonly outputSchema?: string;
  readonly resume?: string;
  readonly image?: readonly string[];
}

export function createExecCommand({ cli, out, done }: CommandScope): Command {
  const command = createCommand('turnwire exec', 'One turn: streams the answer to stdout.', example)
    .argument('[prompt]', 'what to ask; - is stdin (default: stdin, when it is not a terminal)')
    .addOption(flag('--json', 'one JSON line per event instead of the text', 'off'))
    .addOption(flag('--instructions <text>', 'the system text; @FILE takes it from a file', 'none'))
    .addOption(flag('--output-schema <file>', 'JSON Schema that the answer must fit', 'none'))
    .addOption(listFlag('--image <file>', 'an image that goes with the prompt; repeatable'))
    .addOption(flag('--resume <id>', 'go on with a conversation: its id, or last', 'a new one'))
    .addOption(numberFlag('--max-requests <n>', 'bound of the requests to the model in this turn', 1, 50));
  addAgentFlags(command, { tools: 'none' });
  return addProviderFlags(command).action(async (argument: string | undefined, flags: ExecFlags) => {
    done(await exec({ cli, out }, argument, flags, 'turnwire exec'));
  });
}

const example = `turnwire exec --base-url http://127.0.0.1:8080/v1 --wire chat --model tiny "Say hello"
turnwire exec --provider local --image before.png --image after.png "What changed?"`;

/** One turn on the chosen provider; also what `chat` does without a terminal. */
export async function exec(
  { cli, out }: Pick<CommandScope, 'cli' | 'out'>,
  argument: string | undefined,
  flags: ExecFlags,
  name: string,
): Promise<number> {
  const { instructions, outputSchema, maxRequests, resume, image = [] } = flags;
  const request = outputSchema === undefined ? {} : { outputSchema: await readSchema(outputSchema, cli) };
  const system = instructions === undefined ? undefined : await textOrFile(instructions, '--instructions', cli);
  const stdin = await readStdin({ apiKey: flags.apiKeyStdin === true, prompt: promptFromStdin(argument, cli) }, cli);
  const text = stdin.prompt ?? argument ?? '';
  if (text.trim() === '') throw new UsageError('the prompt is empty');
  const prompt = await withImages(await commandIn(text, flags, cli, name), image, cli);
  const configuration = new Configuration(flags, cli);
  const found =
    resume === undefined ? undefined : await findRemembered(resume, threadStore(cli), toolFolder(flags, cli));
  const model = await openModel(flags, {
    cli,
    configuration,
    name,
    apiKey: stdin.apiKey,
    remembered: found?.server,
    warns: true,
  });
  const json = flags.json === true;
  try {
    return await execAgent({
      cli,
      out,
      model,
      prompt,
      request,
      instructions: system,
      flags,
      maxRequests,
      json,
      resume: found?.id ?? resume,
      configuration,
      name,
    });
  } finally {
    await model.close();
  }
}

/** What a command of the person's own stands for; every other text as it is. The folders are looked into where one may be meant. */
async function commandIn(text: string, flags: ProviderFlags, cli: CliContext, name: string): Promise<string> {
  if (!/^\s*\/[a-z][a-z0-9_-]*(?:\s|$)/.test(text)) return text;
  const { texts, notes } = await usableCommands(flags, cli);
  for (const note of notes) cli.stderr.write(`${name}: note: ${note}\n`);
  return withCommand(text, texts);
}

function promptFromStdin(argument: string | undefined, cli: CliContext): boolean {
  if (argument !== undefined) return argument === '-';
  if (cli.stdin.isTTY === true) throw new UsageError('no prompt: give it as an argument, or on stdin');
  return true;
}

async function readSchema(path: string, cli: CliContext): Promise<OutputSchema> {
  const schema = parseJson(await readUserFile(path, '--output-schema', cli));
  if (!isObject(schema)) throw new UsageError(`--output-schema: ${path} holds no JSON object`);
  return { name: 'answer', schema, strict: true };
}
