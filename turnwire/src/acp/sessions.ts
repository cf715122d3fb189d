import { isAbsolute } from 'node:path';
import { RequestError, type AgentContext, type ListSessionsResponse, type McpServer } from '@agentclientprotocol/sdk';
import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import {
  openAgent,
  openToolbox,
  ThreadError,
  type Conversation,
  type EditorFiles,
  type McpServerConfig,
  type ModelServer,
  type OpenAgentOptions,
  type Toolbox,
} from '@turnwire/agent';
import { openRoots } from '@turnwire/agent/internal/sandbox/roots';
import { secretPlaces } from '@turnwire/agent/internal/sandbox/secret-places';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import type { EditorAbilities } from './abilities.ts';
import { createEditorFiles } from './editor-files.ts';
import type { AcpAgentOptions } from './options.ts';
import { AcpSession } from './session.ts';
import type { AcpModel, ListedModel } from './settings.ts';

/** What an editor asks for when it opens a session. */
export interface SessionRequest {
  readonly cwd: string;
  readonly additionalDirectories?: readonly string[];
  readonly mcpServers?: readonly McpServer[];
}

/** Whoever asks for a session. */
export interface SessionOwner {
  readonly client: AgentContext;
  readonly editor: EditorAbilities;
  /** Fires when the connection is closed. */
  readonly gone: AbortSignal;
}

/** The sessions of one connection. All failures are `RequestError`s. */
export class Sessions {
  readonly #options: AcpAgentOptions;
  readonly #open = new Map<string, AcpSession>();
  /** Never reject. */
  readonly #opening = new Set<Promise<unknown>>();
  readonly #models = new WeakMap<AcpModel, Promise<readonly ListedModel[]>>();

  constructor(options: AcpAgentOptions) {
    this.#options = options;
  }

  find(id: string): AcpSession | undefined {
    return this.#open.get(id);
  }

  get(id: string): AcpSession {
    const session = this.find(id);
    if (session === undefined) throw RequestError.sessionNotFound(id);
    return session;
  }

  /** The model server: of the configuration, or the one that a conversation remembers. */
  async model(remembered?: ModelServer): Promise<AcpModel> {
    try {
      return await this.#options.openModel(remembered);
    } catch (error) {
      throw RequestError.authRequired(undefined, thrownText(error));
    }
  }

  create(request: SessionRequest, owner: SessionOwner): Promise<AcpSession> {
    return this.#noted(async () => {
      checkFolder(request);
      return this.#opened({ type: 'new' }, request, owner, await this.model());
    });
  }

  resume(id: string, request: SessionRequest, owner: SessionOwner): Promise<AcpSession> {
    return this.#noted(async () => {
      // First, so that what its turn still had to say is read.
      await this.close(id);
      checkFolder(request);
      return withRequestErrors(id, async () => {
        const model = await this.model(await this.#options.threads.serverOf(id));
        return this.#opened({ type: 'resume', id }, request, owner, model);
      });
    });
  }

  async list(cwd: string | undefined): Promise<ListSessionsResponse> {
    const threads = await this.#options.threads.list();
    const wanted = threads.filter((thread) => cwd === undefined || thread.cwd === cwd);
    return {
      sessions: wanted.map(({ id, cwd, additionalDirectories, preview, updatedAt }) => ({
        sessionId: id,
        cwd,
        additionalDirectories: [...(this.find(id)?.additionalDirectories ?? additionalDirectories)],
        title: preview,
        updatedAt,
      })),
    };
  }

  async delete(id: string): Promise<void> {
    await this.close(id);
    await withRequestErrors(id, () => this.#options.threads.delete(id));
  }

  async close(id: string): Promise<void> {
    const session = this.#open.get(id);
    this.#open.delete(id);
    await session?.close();
  }

  /** Behind the end of the connection: also what is still being opened then is closed. */
  async closeAll(): Promise<void> {
    await Promise.all(this.#opening);
    await Promise.allSettled([...this.#open.keys()].map((id) => this.close(id)));
  }

  #noted(open: () => Promise<AcpSession>): Promise<AcpSession> {
    const opening = open();
    const settled = opening.catch(() => undefined);
    this.#opening.add(settled);
    void settled.then(() => this.#opening.delete(settled));
    return opening;
  }

  async #opened(
    conversation: Conversation,
    request: SessionRequest,
    owner: SessionOwner,
    model: AcpModel,
  ): Promise<AcpSession> {
    if (owner.gone.aborted) throw RequestError.internalError(undefined, 'the connection is closed');
    const { cwd, additionalDirectories = [] } = request;
    const { threads, notes = [], commands: prompts = [], clock = systemClock } = this.#options;
    const opened = await openAgent({
      ...agentOptionsOf(this.#options, model),
      cwd,
      additionalDirectories,
      threads,
      conversation,
      toolbox: () =>
        toolboxFor(request, model, owner.gone, this.#options, (roots) =>
          filesOf(request, roots, owner, () => session.id),
        ),
      approver: (question, options) => session.ask(question, options),
      elicitor: { modes: owner.editor.elicitation, ask: (question, options) => session.elicit(question, options) },
    });
    const session: AcpSession = new AcpSession({
      ...owner,
      opened,
      additionalDirectories,
      model,
      notes,
      prompts,
      clock,
    });
    // It may have been opened a second time meanwhile.
    const other = this.#open.get(session.id);
    this.#open.set(session.id, session);
    await other?.close();
    void session.introduce(this.#modelsOf(model));
    return session;
  }

  /** Each server is asked for its list once. One that cannot tell it is used all the same: its answers say why. */
  #modelsOf(model: AcpModel): Promise<readonly ListedModel[]> {
    const listed = this.#models.get(model) ?? (model.models?.() ?? Promise.resolve([])).catch(() => []);
    this.#models.set(model, listed);
    return listed;
  }
}

/** Fails with a `RequestError`. */
function checkFolder({ cwd }: SessionRequest): void {
  if (!isAbsolute(cwd)) throw RequestError.invalidParams(undefined, 'cwd must be an absolute path');
}

function agentOptionsOf(
  { request, instructions, maxRequests, projectDocBytes }: AcpAgentOptions,
  { port, contextWindow }: AcpModel,
): Pick<OpenAgentOptions, 'model' | 'request' | 'instructions' | 'maxRequests' | 'projectDocBytes' | 'contextWindow'> {
  return {
    model: port,
    ...(instructions === undefined ? {} : { instructions }),
    ...(request === undefined ? {} : { request }),
    ...(maxRequests === undefined ? {} : { maxRequests }),
    ...(projectDocBytes === undefined ? {} : { projectDocBytes }),
    ...(contextWindow === undefined ? {} : { contextWindow }),
  };
}

async function withRequestErrors<T>(id: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ThreadError)) throw error;
    if (error.problem === 'not_found') throw RequestError.sessionNotFound(id);
    throw RequestError.invalidRequest(undefined, error.message);
  }
}

/** `roots`: the working directory and the additional ones as they are. */
function filesOf(
  { cwd, additionalDirectories = [] }: SessionRequest,
  roots: readonly string[],
  { client, editor }: SessionOwner,
  sessionId: () => string,
): EditorFiles | undefined {
  if (!editor.files) return undefined;
  const names = [cwd, ...additionalDirectories];
  return createEditorFiles({
    client,
    sessionId,
    folders: roots.map((real, at) => ({ name: names[at] ?? real, real })),
  });
}

async function toolboxFor(
  { cwd, additionalDirectories = [], mcpServers = [] }: SessionRequest,
  { env }: AcpModel,
  signal: AbortSignal,
  { openSandbox, mcpServers: ours = [], skills = [], web = {}, mcpPatienceMs, clock = systemClock }: AcpAgentOptions,
  filesIn: (roots: readonly string[]) => EditorFiles | undefined,
): Promise<Toolbox> {
  try {
    const folders = { cwd, additionalDirectories };
    const files = filesIn(await openRoots({ ...folders, secrets: secretPlaces(env ?? {}) }));
    const sandbox = await openSandbox?.(folders, env);
    return await openToolbox({
      ...folders,
      ...(files === undefined ? {} : { files }),
      skills,
      web,
      clock,
      signal,
      ...(mcpPatienceMs === undefined ? {} : { mcpPatienceMs }),
      mcpServers: [...ours, ...mcpServers.flatMap(toConfig)],
      ...(env === undefined ? {} : { env }),
      ...(sandbox === undefined ? {} : { sandbox }),
    });
  } catch (error) {
    // Of the system; or of the sandbox that was asked for.
    const why = error instanceof Error && !('code' in error) ? error.message : 'no such folder';
    throw RequestError.invalidParams(undefined, `cannot work in ${cwd}: ${why}`);
  }
}

/** Of a kind that `initialize` does not offer (`sse`, `acp`) an editor sends none. */
function toConfig(server: McpServer): McpServerConfig[] {
  if ('command' in server) {
    const { name, command, args } = server;
    return [{ name, command, args, env: toRecord(server.env) }];
  }
  return server.type === 'http' ? [{ name: server.name, url: server.url, headers: toRecord(server.headers) }] : [];
}

function toRecord(
  pairs: readonly { readonly name: string; readonly value: string }[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(pairs.map(({ name, value }) => [name, value]));
}
