import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import {
  openAgent,
  ThreadError,
  type Agent,
  type AgentEvent,
  type FileChange,
  type OpenAgentOptions,
  type OpenedAgent,
  type RequestOptions,
} from '@turnwire/agent';
import type { Skill } from '@turnwire/agent/internal/project/skills';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { InputMessage } from '@turnwire/wire/internal/model/items';
import { ModelError, type ModelErrorJson } from '@turnwire/wire/internal/model/errors';
import { toolEnvironment, toolFolder, type AgentFlags } from './agent-flags.ts';
import { createAnswerCheck, FinalAnswer, type CheckAnswer } from './answer-schema.ts';
import { AnswerText } from './answer-text.ts';
import { createTerminalApprover } from './ask-approval.ts';
import type { CommandScope } from './command-scope.ts';
import type { Configuration, ConfigurationFlags } from './configuration.ts';
import { BrokenPipe, describeFailure, exitCode, UsageError } from './exit.ts';
import { NO_MCP_SERVERS, type McpServers } from './mcp-servers.ts';
import { windowOf, type OpenModel } from './model.ts';
import { openTools } from './open-tools.ts';
import { describeRetry } from './retry-text.ts';
import { threadStore } from './thread-store.ts';
import { usableSkills } from './usable-texts.ts';

export interface ExecAgentOptions extends Pick<CommandScope, 'cli' | 'out'> {
  readonly model: OpenModel;
  readonly prompt: InputMessage;
  readonly request: RequestOptions;
  /** Default: a text that explains the tools. */
  readonly instructions?: string | undefined;
  readonly flags: AgentFlags & Pick<ConfigurationFlags, 'trustProject'>;
  readonly maxRequests: number;
  /** JSON lines instead of text. */
  readonly json: boolean;
  /** `last`, or a thread's id. */
  readonly resume?: string | undefined;
  /** Of the MCP servers. */
  readonly configuration: Configuration;
  /** How messages on stderr begin. */
  readonly name: string;
}

/**
 * One turn of an agent on stdout; the exit code. Ctrl-C, SIGTERM, or a reader that goes away interrupts it: its tools
 * end before this does.
 */
export async function execAgent(options: ExecAgentOptions): Promise<number> {
  const { cli, out } = options;
  const check = await answerCheck(options);
  const { agent, close } = await createAgent(options);
  const interrupt = (): void => agent.interrupt();
  const stopListening = [cli.onSignal('SIGINT', interrupt), cli.onSignal('SIGTERM', interrupt)];
  try {
    const printer = options.json ? new JsonPrinter(options) : new TextPrinter(options);
    const answer = new FinalAnswer();
    for await (const events of agent.run(options.prompt, { signal: out.closed })) {
      await printer.print(events.map((event) => checked(event, answer, check)));
    }
    if (out.closed.aborted) throw new BrokenPipe();
    return printer.code;
  } finally {
    for (const stop of stopListening) stop();
    await close();
  }
}

/** Without it the answer is taken as it is. */
async function answerCheck({ request, cli, name }: ExecAgentOptions): Promise<CheckAnswer | undefined> {
  if (request.outputSchema === undefined) return undefined;
  try {
    return await createAnswerCheck(request.outputSchema.schema);
  } catch (error) {
    const why = thrownText(error);
    cli.stderr.write(`${name}: note: the answer is not checked, for the schema cannot be used: ${oneLine(why)}\n`);
    return undefined;
  }
}

/** A turn whose answer does not fit the schema has failed. */
function checked(event: AgentEvent, answer: FinalAnswer, check: CheckAnswer | undefined): AgentEvent {
  switch (event.type) {
    case 'created':
    case 'retrying':
    case 'output_item.done':
    case 'completed':
      answer.take(event);
      return event;
    case 'turn.completed': {
      const problem = check?.(answer.text);
      if (problem === undefined) return event;
      return {
        type: 'turn.failed',
        error: misfit(problem),
        ...(event.usage === undefined ? {} : { usage: event.usage }),
      };
    }
    default:
      return event;
  }
}

function misfit(problem: string): ModelErrorJson {
  const message = `the answer does not fit the output schema: ${problem}`;
  return new ModelError({ kind: 'invalid_request', code: 'output_schema', message, replaySafe: false }).toJSON();
}

async function createAgent(options: ExecAgentOptions): Promise<{ agent: Agent; close: () => Promise<void> }> {
  const { cli, flags, model, request, maxRequests, instructions, resume, name } = options;
  const cwd = toolFolder(flags, cli);
  const approver = createTerminalApprover(cli, () => opened.agent.interrupt());
  const opened = await openConversation({
    model: await model.agentModel(),
    cwd,
    threads: threadStore(cli),
    ...(resume === undefined ? {} : { conversation: { type: 'resume', id: resume } }),
    toolbox: async () => {
      const web = await options.configuration.webAccess(flags);
      const { servers: mcpServers, variables } = await mcpServersFor(options);
      const env = toolEnvironment(cli.env, model.provider, variables);
      return openTools(flags, { cli, name, cwd, env, mcpServers, web, skills: await skillsFor(options) });
    },
    request,
    approvals: flags.approve,
    maxRequests,
    ...(await options.configuration.projectDoc(flags)),
    ...windowOf(model.provider),
    ...(instructions === undefined ? {} : { instructions }),
    ...(approver === undefined ? {} : { approver }),
  });
  for (const note of opened.notes) cli.stderr.write(`${name}: note: ${visible(note)}\n`);
  return opened;
}

async function mcpServersFor({ cli, flags, configuration, name }: ExecAgentOptions): Promise<McpServers> {
  const found = flags.tools === 'all' ? await configuration.mcpServers() : NO_MCP_SERVERS;
  for (const note of [...configuration.takeNotes(), ...found.notes]) cli.stderr.write(`${name}: note: ${note}\n`);
  return found;
}

async function skillsFor({ cli, flags, name }: ExecAgentOptions): Promise<readonly Skill[]> {
  if (flags.tools === 'none') return [];
  const { texts, notes } = await usableSkills(flags, cli);
  for (const note of notes) cli.stderr.write(`${name}: note: ${note}\n`);
  return texts;
}

async function openConversation(options: OpenAgentOptions): Promise<OpenedAgent> {
  try {
    return await openAgent(options);
  } catch (error) {
    if (error instanceof ThreadError) throw new UsageError(`--resume: ${error.message}`, { cause: error });
    throw error;
  }
}

interface Printer {
  readonly code: number;
  print(events: readonly AgentEvent[]): Promise<void>;
}

type Scope = Pick<ExecAgentOptions, 'cli' | 'out' | 'name'>;

class JsonPrinter implements Printer {
  code: number = exitCode.done;
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  async print(events: readonly AgentEvent[]): Promise<void> {
    for (const event of events) {
      this.code = codeAfter(event, this.code);
      warn(event, this.#scope);
    }
    await this.#scope.out.writeLines(events.flatMap(jsonLine));
  }
}

class TextPrinter implements Printer {
  code: number = exitCode.done;
  readonly #scope: Scope;
  readonly #answer = new AnswerText();

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  async print(events: readonly AgentEvent[]): Promise<void> {
    const { cli, out, name } = this.#scope;
    let text = '';
    for (const event of events) {
      this.code = codeAfter(event, this.code);
      text += this.#textOf(event);
    }
    // Before the messages: on a terminal both come to the same place.
    await out.write(text);
    for (const event of events) {
      warn(event, this.#scope);
      if (event.type === 'retrying') cli.stderr.write(`${name}: ${describeRetry(event)}\n`);
      if (event.type === 'tool.started') {
        cli.stderr.write(`${name}: ${visible(event.name)}: ${oneLine(event.title)}\n`);
      }
      if (event.type === 'tool.finished' && event.status !== 'completed') {
        cli.stderr.write(`${name}: ${visible(event.name)} ${event.status}: ${oneLine(event.output)}\n`);
      }
    }
  }

  #textOf(event: AgentEvent): string {
    switch (event.type) {
      case 'output_text.delta':
      case 'refusal.delta':
      case 'output_item.done':
      case 'retrying':
      case 'completed': // Ids may begin anew in the next response.
        return this.#answer.take(event);
      case 'tool.started':
      case 'turn.completed':
      case 'turn.failed':
      case 'turn.interrupted':
        return this.#answer.finish();
      default:
        return '';
    }
  }
}

function codeAfter(event: AgentEvent, code: number): number {
  if (event.type === 'turn.failed') return exitCode.failed;
  return event.type === 'turn.interrupted' ? exitCode.interrupted : code;
}

/** What belongs on stderr with and without `--json`. */
function warn(event: AgentEvent, { cli, name }: Scope): void {
  if (event.type === 'warning') cli.stderr.write(`${name}: note: ${oneLine(event.message)}\n`);
  if (event.type === 'project_doc.told') cli.stderr.write(`${name}: the model is told ${oneLine(event.name)}\n`);
  if (event.type === 'history.compacting') cli.stderr.write(`${name}: note: summarising the conversation\n`);
  if (event.type === 'turn.interrupted') cli.stderr.write(`${name}: interrupted\n`);
  if (event.type === 'turn.failed') cli.stderr.write(`${name}: ${describeFailure(errorOf(event.error))}\n`);
}

function errorOf(error: ModelErrorJson): ModelError {
  return new ModelError({ kind: error.kind, message: error.message, status: error.status, code: error.code });
}

const INTERRUPTED = new ModelError({ kind: 'aborted', message: 'interrupted' }).toJSON();

/** The line of an event in `--json`; those that only a screen needs have none. */
function jsonLine(event: AgentEvent): readonly object[] {
  switch (event.type) {
    case 'input.accepted':
    case 'approval.requested':
    case 'approval.resolved':
    case 'elicitation.requested':
    case 'elicitation.resolved':
    case 'history.compacting':
    case 'history.compacted':
    case 'warning':
      return [];
    case 'turn.interrupted':
      return [{ ...event, type: 'turn.failed', error: INTERRUPTED }];
    case 'tool.started':
      return [{ ...event, ...(event.changes === undefined ? {} : { changes: event.changes.map(withoutTexts) }) }];
    default:
      return [event];
  }
}

/** The diff says it all; whole files twice would drown it. */
function withoutTexts(change: FileChange): object {
  return { ...change, old_text: undefined, new_text: undefined };
}

function oneLine(text: string): string {
  const line = visible(text.replaceAll(/\s+/g, ' ').trim());
  return line.length > 200 ? `${line.slice(0, 200)} …` : line;
}
