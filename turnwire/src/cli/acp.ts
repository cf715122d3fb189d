import { Readable, Writable } from 'node:stream';
import { ndJsonStream } from '@agentclientprotocol/sdk';
import type { Command } from 'commander';
import { createAcpAgent } from '../acp/index.ts';
import { noProjectDocFlag, sandboxFlag, threadStore, toolEnvironment, type AgentFlags } from './agent-flags.ts';
import type { CommandScope } from './command-scope.ts';
import { Configuration } from './configuration.ts';
import { exitCode, UsageError } from './exit.ts';
import { createCommand, flag, numberFlag } from './flags.ts';
import { openModel } from './open-model.ts';
import { windowOf } from './model.ts';
import { chosenSandbox, sayWhyNot } from './open-tools.ts';
import { addProviderFlags, type ProviderFlags } from './provider-flags.ts';
import { textOrFile } from './user-file.ts';
import { version } from './version.ts';

interface AcpFlags extends ProviderFlags, Pick<AgentFlags, 'sandbox' | 'projectDoc'> {
  readonly instructions?: string;
  readonly maxRequests: number;
}

const example = 'turnwire acp --provider local';

/** `turnwire acp`: the agent behind an editor, on stdin and stdout. */
export function createAcpCommand({ cli, done }: CommandScope): Command {
  const name = 'turnwire acp';
  const command = createCommand(name, 'Agent for editors (Agent Client Protocol) on stdin and stdout.', example)
    .addOption(
      flag('--instructions <text>', 'the system text; @FILE takes it from a file', 'one that explains the tools'),
    )
    .addOption(numberFlag('--max-requests <n>', 'bound of the requests to the model in one turn', 1, 100))
    .addOption(sandboxFlag())
    .addOption(noProjectDocFlag());
  return addProviderFlags(command).action(async (flags: AcpFlags) => {
    if (flags.apiKeyStdin === true) throw new UsageError('--api-key-stdin: stdin belongs to the editor');
    const { instructions, maxRequests } = flags;
    const system = instructions === undefined ? undefined : await textOrFile(instructions, '--instructions', cli);
    // No terminal: nobody is asked about the project's file, and the editor is told what is passed over.
    const configuration = new Configuration(flags, cli);
    const mcpServers = await configuration.mcpServers();
    const projectDoc = await configuration.projectDoc(flags);
    const notes = [...configuration.takeNotes(), ...mcpServers.notes];
    for (const note of notes) cli.stderr.write(`${name}: note: ${note}\n`);
    const model = await openModel(flags, { cli, configuration, name, apiKey: undefined });
    try {
      const env = toolEnvironment(cli.env, model.provider);
      let said = false;
      const { app, ended } = createAcpAgent({
        model: model.agentModel,
        threads: threadStore(cli),
        version,
        env,
        openSandbox: async (cwd) => {
          const sandbox = await chosenSandbox({ cli, name, cwd, env, level: flags.sandbox });
          if (!said) sayWhyNot(sandbox, { cli, name });
          said ||= sandbox.problem !== undefined;
          return sandbox;
        },
        maxRequests,
        ...projectDoc,
        ...windowOf(model.provider),
        mcpServers: mcpServers.servers,
        notes,
        ...(system === undefined ? {} : { instructions: system }),
      });
      const output = Writable.toWeb(cli.stdout);
      const input = Readable.toWeb(cli.stdin) as ReadableStream<Uint8Array>;
      const connection = app.connect(ndJsonStream(output, input));
      const stop = (): void => connection.close();
      const stopListening = [cli.onSignal('SIGINT', stop), cli.onSignal('SIGTERM', stop)];
      // Ends when the editor closes stdin, or with a signal.
      await ended;
      for (const end of stopListening) end();
      done(exitCode.done);
    } finally {
      await model.close();
    }
  });
}
