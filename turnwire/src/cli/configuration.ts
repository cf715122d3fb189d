import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { WebAccess } from '@turnwire/agent';
import { readHost } from '@turnwire/agent/internal/web-access';
import { optional, requireStringList, wholeNumber } from '@turnwire/client/internal/provider/config-fields';
import { quoteArgv } from '@turnwire/client/internal/platform/quote-argv';
import type { AgentFlags } from './agent-flags.ts';
import { readCodexFile } from './codex-file.ts';
import { readConfigFile, withUsageErrors, type ConfigFile } from './config-file.ts';
import type { CliContext } from './context.ts';
import { decideTrust } from './decide-trust.ts';
import { UsageError } from './exit.ts';
import { McpCredentialFile } from './mcp-credentials.ts';
import { mcpServersIn, withVariables, type McpServers } from './mcp-servers.ts';
import type { ProviderFlags } from './provider-flags.ts';
import { proxyFromEnv } from './proxy.ts';
import { describeProjectFile, summariseProjectFile } from './trust-question.ts';
import { codexFolder, configFolder } from './user-folders.ts';

export type ConfigurationFlags = Pick<ProviderFlags, 'codexConfig' | 'codexProfile' | 'trustProject'>;

/** The project's file, when it may not be used. */
export interface IgnoredFile {
  readonly file: ConfigFile;
  /** One line for the person: what it names, and what to do. */
  readonly note: string;
}

/** What a command wants of the configuration; a file that says nothing of it is asked about by nobody. */
type Use = 'providers' | 'mcpServers';

const isAbout: Readonly<Record<Use, (key: string) => boolean>> = {
  // Also a key that is none of ours: it is told, with the nearest that is.
  providers: (key) => key !== 'mcp_servers',
  mcpServers: (key) => key === 'mcp_servers',
};

const docBytes = optional(wholeNumber({ min: 0, unit: 'bytes' }));
const stringList = optional(requireStringList);
/** More than any window takes. */
const MAX_DOC_BYTES = 1024 * 1024;

interface Files {
  /** Of the person; always trusted. */
  readonly own: readonly ConfigFile[];
  readonly project: ConfigFile | undefined;
}

/** The person's own `config.toml`, if there is one. What a project's file says of the same is not asked for here. */
export async function ownConfigFile(cli: CliContext): Promise<ConfigFile | undefined> {
  return await readConfigFile(join(configFolder(cli), 'config.toml'), { dialect: 'turnwire' });
}

/**
 * The configuration files of one command: the person's own, and the `turnwire.toml` of the working directory. The
 * latter is a stranger's until the person said yes to it, and until then nothing of it is used (docs/security.md). Each
 * is read once, so that what was asked about is what is used.
 */
export class Configuration {
  readonly #flags: ConfigurationFlags;
  readonly #cli: CliContext;
  #files: Promise<Files> | undefined;
  #decision: Promise<IgnoredFile | undefined> | undefined;
  #notes: string[] = [];

  constructor(flags: ConfigurationFlags, cli: CliContext) {
    this.#flags = flags;
    this.#cli = cli;
  }

  /**
   * The files to look for providers in, in order. May ask on the terminal.
   *
   * @throws UsageError for a file that cannot be used, ModelError of kind `aborted` for Ctrl-C at the question
   */
  async providerFiles(): Promise<{ readonly files: readonly ConfigFile[]; readonly ignored?: IgnoredFile }> {
    return await this.#filesFor('providers');
  }

  /** The MCP servers that may be started; of two with one name the project's. May ask and fail as `providerFiles`. */
  async mcpServers(): Promise<McpServers> {
    const { files } = await this.#filesFor('mcpServers');
    const tables = files.map(mcpServersIn).toReversed().flat();
    const byName = new Map(tables.map((table) => [table.name, table]));
    return withVariables([...byName.values()], this.#cli.env, new McpCredentialFile(this.#cli));
  }

  /**
   * How much of the project's `AGENTS.md` files the model is told, as `openAgent` takes it: 0 with `--no-project-doc`, else
   * Codex' own key of the person's file. Fails as `providerFiles`.
   */
  async projectDoc({ projectDoc }: Pick<AgentFlags, 'projectDoc'>): Promise<{ readonly projectDocBytes?: number }> {
    if (projectDoc === false) return { projectDocBytes: 0 };
    const [file] = await this.#ownFilesFor('project_doc_max_bytes');
    const where = `${file?.path ?? ''}: project_doc_max_bytes`;
    const bytes = withUsageErrors(() => docBytes(file?.toml.project_doc_max_bytes, where));
    return bytes === undefined ? {} : { projectDocBytes: Math.min(bytes, MAX_DOC_BYTES) };
  }

  /**
   * How `fetch_url` gets to the web: through the proxies of the environment, and to the private hosts that the flag and the person's own
   * file name. What a project's file names does not count: its author is not who the network belongs to. Fails as
   * `providerFiles`.
   */
  async webAccess({ allowPrivateHost = [] }: Pick<AgentFlags, 'allowPrivateHost'>): Promise<WebAccess> {
    const own = await this.#ownFilesFor('fetch_private_hosts');
    const ofFiles = own.flatMap(({ path, toml }) => {
      const where = `${path}: fetch_private_hosts`;
      return privateHosts(withUsageErrors(() => stringList(toml.fetch_private_hosts, where)) ?? [], where);
    });
    const ofFlags = privateHosts(allowPrivateHost, '--allow-private-host');
    return { proxy: proxyFromEnv(this.#cli.env), privateHosts: [...ofFiles, ...ofFlags] };
  }

  /** The person's own files, for a key that counts in those alone: that a project's file has it is told. */
  async #ownFilesFor(key: string): Promise<readonly ConfigFile[]> {
    this.#files ??= this.#read();
    const { own, project } = await this.#files;
    if (project?.toml[key] !== undefined)
      this.#notes.push(`${quoteArgv([project.path])}: ${key} counts in your own config.toml alone`);
    return own;
  }

  /** What the person has not been told yet, one line each. */
  takeNotes(): readonly string[] {
    const notes = this.#notes;
    this.#notes = [];
    return notes;
  }

  async #filesFor(use: Use): Promise<{ files: readonly ConfigFile[]; ignored?: IgnoredFile }> {
    this.#files ??= this.#read();
    const { own, project } = await this.#files;
    if (project === undefined || !Object.keys(project.toml).some(isAbout[use])) return { files: own };
    this.#decision ??= this.#decide(project);
    const ignored = await this.#decision;
    return ignored === undefined ? { files: [project, ...own] } : { files: own, ignored };
  }

  async #read(): Promise<Files> {
    const { cwd } = this.#cli;
    if (this.#flags.codexConfig === true) {
      return { own: [await readCodexFile(codexFolder(this.#cli), this.#flags.codexProfile)], project: undefined };
    }
    if (this.#flags.codexProfile !== undefined) throw new UsageError('--codex-profile belongs to --codex-config');
    const own = await ownConfigFile(this.#cli);
    const projectFolder = await realpath(cwd).catch(() => undefined);
    const project =
      projectFolder === undefined
        ? undefined
        : await readConfigFile(join(projectFolder, 'turnwire.toml'), { dialect: 'turnwire', projectFolder });
    return { own: own === undefined ? [] : [own], project };
  }

  /** `undefined` when it is trusted. */
  async #decide(file: ConfigFile): Promise<IgnoredFile | undefined> {
    if (this.#flags.trustProject === true) return undefined;
    const decision = await decideTrust(
      {
        folder: file.projectFolder ?? '',
        sha256: file.sha256,
        describe: () => describeProjectFile(file),
        question: (what, why) => questionFor(file, what, why),
        note: (why, isTooLong) => noteOf(file, why, isTooLong),
      },
      this.#cli,
    );
    this.#notes.push(...decision.notes);
    return decision.isTrusted ? undefined : { file, note: decision.note };
  }
}

/** Fails with `UsageError` for what is no host alone. */
function privateHosts(texts: readonly string[], where: string): readonly string[] {
  return texts.map((text) => {
    const host = readHost(text);
    if (host === undefined) throw new UsageError(`${where}: ${quoteArgv([text])} is no host name or IP address`);
    return host;
  });
}

function questionFor(file: ConfigFile, what: string, why: string): string {
  return `\n${quoteArgv([file.path])} ${why}. It would\n\n${what}\nUse it from now on, as it is? [y]es, [n]o: `;
}

function noteOf(file: ConfigFile, why: string, isTooLong: boolean): string {
  const path = quoteArgv([file.path]);
  const how = isTooLong
    ? 'it is too long to be asked about: read it, then use --trust-project'
    : 'start turnwire here in a terminal and say yes, or use --trust-project';
  return `${path} is ignored, for ${why}: it names ${summariseProjectFile(file)}; ${how}`;
}
