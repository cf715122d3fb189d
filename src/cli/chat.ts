import type { Command } from 'commander';
import { chatOnTerminal } from './chat-terminal.ts';
import type { CommandScope } from './command-scope.ts';
import { UsageError } from './exit.ts';
import { exec } from './exec.ts';
import { createCommand, flag } from './flags.ts';
import { openModel } from './open-model.ts';
import { addProviderFlags, type ProviderFlags } from './provider-flags.ts';
import { textOrFile } from './user-file.ts';

interface ChatFlags extends ProviderFlags {
  readonly instructions?: string;
}

export function createChatCommand({ cli, out, done }: CommandScope): Command {
  const command = createCommand('turnwire chat', summary, 'turnwire chat --provider local').addOption(
    flag('--instructions <text>', 'the system text; @FILE takes it from a file', 'none'),
  );
  return addProviderFlags(command).action(async (flags: ChatFlags) => {
    const name = 'turnwire chat';
    if (cli.stdin.isTTY !== true) {
      done(await exec({ cli, out }, '-', { ...flags, tools: 'none', approve: 'never', maxRequests: 1 }, name));
      return;
    }
    if (flags.apiKeyStdin === true) throw new UsageError('--api-key-stdin needs a stdin that is not the terminal');
    const instructions =
      flags.instructions === undefined ? undefined : await textOrFile(flags.instructions, '--instructions', cli);
    const model = await openModel(flags, { cli, name, apiKey: undefined });
    try {
      done(await chatOnTerminal({ cli, out, model, instructions }));
    } finally {
      await model.close();
    }
  });
}

const summary = 'Talk to a model in the terminal; without one, answer the prompt on stdin.';
