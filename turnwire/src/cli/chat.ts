import type { Command } from 'commander';
import { addAgentFlags, type AgentFlags } from './agent-flags.ts';
import type { CommandScope } from './command-scope.ts';
import { UsageError } from './exit.ts';
import { createCommand, flag, numberFlag } from './flags.ts';
import { addProviderFlags, type ProviderFlags } from './provider-flags.ts';
import { textOrFile } from './user-file.ts';

interface ChatFlags extends ProviderFlags, AgentFlags {
  readonly instructions?: string;
  readonly maxRequests: number;
  readonly resume?: string;
}

const summary = 'Talk to a model in the terminal; without one, answer the prompt on stdin.';

export function createChatCommand({ cli, out, done }: CommandScope): Command {
  const name = 'turnwire chat';
  const command = createCommand(name, summary, 'turnwire chat --provider local')
    .addOption(
      flag('--instructions <text>', 'the system text; @FILE takes it from a file', 'one that explains the tools'),
    )
    .addOption(flag('--resume <id>', 'go on with a conversation: its id, or last', 'a new one'))
    .addOption(numberFlag('--max-requests <n>', 'bound of the requests to the model in one turn', 1, 100));
  addAgentFlags(command, { tools: 'all' });
  return addProviderFlags(command).action(async (flags: ChatFlags) => {
    if (cli.stdin.isTTY !== true || cli.stdout.isTTY !== true) {
      // Nobody is there to say yes: tools only when they were asked for.
      const tools = command.getOptionValueSource('tools') === 'default' ? 'none' : flags.tools;
      const { exec } = await import('./exec.ts');
      done(await exec({ cli, out }, '-', { ...flags, tools }, name));
      return;
    }
    if (flags.apiKeyStdin === true) throw new UsageError('--api-key-stdin needs a stdin that is not the terminal');
    const { instructions, resume } = flags;
    const system = instructions === undefined ? undefined : await textOrFile(instructions, '--instructions', cli);
    const { openChatBackend } = await import('./chat-backend.ts');
    const { chatOnTerminal } = await import('./chat-terminal.ts');
    const backend = await openChatBackend({ cli, name, flags, instructions: system, resume });
    try {
      const open = resume === undefined ? ({ type: 'new' } as const) : ({ type: 'resume', id: resume } as const);
      done(await chatOnTerminal({ cli, backend, open }));
    } finally {
      await backend.close();
    }
  });
}
