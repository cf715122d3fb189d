import { Readable, Writable } from 'node:stream';
import { ndJsonStream } from '@agentclientprotocol/sdk';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { wait } from '@turnwire/client/internal/platform/wait';
import type { ModelServer } from '@turnwire/agent';
import type { Command } from 'commander';
import { createAcpAgent, cutLines, MAX_LINE_BYTES, type AcpModel } from '../acp/index.ts';
import { noProjectDocFlag, privateHostFlag, sandboxFlag, toolEnvironment, type AgentFlags } from './agent-flags.ts';
import type { CommandScope } from './command-scope.ts';
import type { CliContext } from './context.ts';
import { Configuration } from './configuration.ts';
import { exitCode, UsageError } from './exit.ts';
import { createCommand, flag, numberFlag } from './flags.ts';
import { MissingKeyError, openModel } from './open-model.ts';
import type { OpenModel } from './model.ts';
import { chosenSandbox, MCP_PATIENCE_MS, sayWhyNot } from './open-tools.ts';
import { threadStore } from './thread-store.ts';
import { usableCommands, usableSkills } from './usable-texts.ts';
import { addProviderFlags, type ProviderFlags } from './provider-flags.ts';
import { textOrFile } from './user-file.ts';
import { version } from './version.ts';

interface AcpFlags extends ProviderFlags, Pick<AgentFlags, 'sandbox' | 'projectDoc' | 'allowPrivateHost'> {
  readonly instructions?: string;
  readonly maxRequests: number;
}

const name = 'turnwire acp';
/** An editor that has closed its end may still read what was said. One that does not read keeps no process. */
const LAST_WORDS_MS = 2000;
const example = 'turnwire acp --provider local';

/** `turnwire acp`: the agent behind an editor, on stdin and stdout. */
export function createAcpCommand({ cli, out, done }: CommandScope): Command {
  const command = createCommand(name, 'Agent for editors (Agent Client Protocol) on stdin and stdout.', example)
    .addOption(
      flag('--instructions <text>', 'the system text; @FILE takes it from a file', 'one that explains the tools'),
    )
    .addOption(numberFlag('--max-requests <n>', 'bound of the requests to the model in one turn', 1, 100))
    .addOption(sandboxFlag())
    .addOption(noProjectDocFlag())
    .addOption(privateHostFlag());
  return addProviderFlags(command).action(async (flags: AcpFlags) => {
    if (flags.apiKeyStdin === true) throw new UsageError('--api-key-stdin: stdin belongs to the editor');
    const { instructions, maxRequests } = flags;
    const system = instructions === undefined ? undefined : await textOrFile(instructions, '--instructions', cli);
    // No terminal: nobody is asked about the project's file, and the editor is told what is passed over.
    const configuration = new Configuration(flags, cli);
    const mcpServers = await configuration.mcpServers();
    const projectDoc = await configuration.projectDoc(flags);
    const web = await configuration.webAccess(flags);
    const prompts = await usableCommands(flags, cli);
    const skills = await usableSkills(flags, cli);
    const notes = [...configuration.takeNotes(), ...mcpServers.notes, ...prompts.notes, ...skills.notes];
    for (const note of notes) cli.stderr.write(`${name}: note: ${note}\n`);
    const servers = new AcpServers(flags, cli, configuration, mcpServers.variables);
    await servers.start();
    try {
      let said = false;
      const { app, ended } = createAcpAgent({
        openModel: (remembered) => servers.open(remembered),
        threads: threadStore(cli),
        version,
        openSandbox: async (folders, env = {}) => {
          const sandbox = await chosenSandbox({ cli, name, ...folders, env, level: flags.sandbox });
          if (!said) sayWhyNot(sandbox, { cli, name });
          said ||= sandbox.problem !== undefined;
          return sandbox;
        },
        maxRequests,
        ...projectDoc,
        mcpServers: mcpServers.servers,
        mcpPatienceMs: MCP_PATIENCE_MS,
        commands: prompts.texts,
        skills: skills.texts,
        web,
        notes,
        ...(system === undefined ? {} : { instructions: system }),
      });
      const output = Writable.toWeb(cli.stdout);
      const input = Readable.toWeb(cli.stdin) as ReadableStream<Uint8Array>;
      const lines = input.pipeThrough(cutLines(MAX_LINE_BYTES));
      const connection = app.connect(ndJsonStream(output, lines, { maxMessageBytes: MAX_LINE_BYTES }));
      const stop = (): void => connection.close();
      const stopListening = [cli.onSignal('SIGINT', stop), cli.onSignal('SIGTERM', stop)];
      // Ends when the editor closes stdin, or with a signal.
      await ended;
      await Promise.race([out.flush(), wait(systemClock, LAST_WORDS_MS)]);
      cli.leaveStdout?.();
      for (const end of stopListening) end();
      done(exitCode.done);
    } finally {
      await servers.close();
    }
  });
}

/**
 * The model servers of flags, files and conversations. Without its key the editor is told so when it wants a session, and the
 * files are read again then; everything else that is wrong with the one of flags and files ends the command.
 */
class AcpServers {
  readonly #flags: AcpFlags;
  readonly #cli: CliContext;
  #configuration: Configuration;
  readonly #mcpVariables: readonly string[];
  /** By what a conversation remembers of it; one that failed is not kept. */
  readonly #opened = new Map<string, Promise<AcpServer>>();

  constructor(flags: AcpFlags, cli: CliContext, configuration: Configuration, mcpVariables: readonly string[]) {
    this.#flags = flags;
    this.#cli = cli;
    this.#configuration = configuration;
    this.#mcpVariables = mcpVariables;
  }

  async start(): Promise<void> {
    try {
      await this.open();
    } catch (error) {
      if (!(error instanceof MissingKeyError)) throw error;
      this.#cli.stderr.write(`${name}: note: ${error.message}\n`);
    }
  }

  async open(remembered?: ModelServer): Promise<AcpModel> {
    // Of the scripted one there is one: its address is another one each time.
    const server = remembered?.is_scripted === true ? undefined : remembered;
    const key = JSON.stringify(server ?? 'configured');
    const opened = this.#opened.get(key) ?? this.#connect(server);
    this.#opened.set(key, opened);
    try {
      return (await opened).model;
    } catch (error) {
      this.#opened.delete(key);
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const opened of this.#opened.values()) await (await opened).close();
  }

  async #connect(remembered: ModelServer | undefined): Promise<AcpServer> {
    const [flags, cli, configuration] = [this.#flags, this.#cli, this.#configuration];
    // The next time the files are read again.
    this.#configuration = new Configuration(flags, cli);
    const opened = await openModel(flags, { cli, configuration, name, apiKey: undefined, remembered });
    const env = toolEnvironment(cli.env, opened.provider, this.#mcpVariables);
    return { model: await toAcpModel(opened, env), close: () => opened.close() };
  }
}

interface AcpServer {
  readonly model: AcpModel;
  close(): Promise<void>;
}

async function toAcpModel(opened: OpenModel, env: AcpModel['env']): Promise<AcpModel> {
  const { provider, warning, notes } = opened;
  return {
    port: await opened.agentModel(),
    models: () => opened.models(),
    warning,
    notes,
    model: provider.model,
    contextWindow: provider.contextWindow,
    env,
  };
}
