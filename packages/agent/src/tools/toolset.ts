import type { Clock } from '@turnwire/wire/internal/base/clock';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { openSandbox } from '../sandbox/open.ts';
import { secretPlaces } from '../sandbox/secret-places.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { EditorFiles } from '../editor-files.ts';
import type { AgentTool } from '../tool.ts';
import { createApplyPatchTool } from './apply-patch.ts';
import type { ToolsetContext } from '../tool-context.ts';
import { createFetchUrlTool } from './fetch-url.ts';
import { createListDirTool } from './list-dir.ts';
import type { Skill } from '../project/skills.ts';
import { createReadFileTool } from './read-file.ts';
import { createReadSkillTool } from './read-skill.ts';
import { createSearchTool } from './search.ts';
import { createShellTool } from './shell.ts';
import { createUpdatePlanTool } from './update-plan.ts';
import type { WebAccess } from '../web-access.ts';
import { Workspace } from '../workspace.ts';

/** `none`; `read`: what looks at files; `all`: commands and patches too. */
export type ToolSelection = 'none' | 'read' | 'all';

/** Which tools there are, and where they work. */
export interface ToolsetOptions {
  /** The working directory: what lies outside of it and of the additional ones needs approval. */
  readonly cwd: string;
  /** Folders that belong to the work beside it, as the working directory does; absolute paths. Default: none. */
  readonly additionalDirectories?: readonly string[];
  /** Default `all`. */
  readonly select?: ToolSelection;
  /** Environment of commands. Default: a bare `PATH`, so that no secret gets out by accident. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What walls commands in. Default: `openSandbox` for this folder and environment. */
  readonly sandbox?: Sandbox;
  /** The editor that has files of these folders open. Default: none, files are those on the disk. */
  readonly files?: EditorFiles;
  /** What the model may read with `read_skill`, which there is where there are any. Default: none. */
  readonly skills?: readonly Skill[];
  /** How `fetch_url` gets to the web. Default: without a proxy, to the public internet alone. */
  readonly web?: WebAccess;
  /** Default: the real one. */
  readonly clock?: Clock;
}

const BARE_ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/** The built-in tools for one working directory. Fails when it or an additional one cannot be used. */
export async function createTools(options: ToolsetOptions): Promise<readonly AgentTool[]> {
  const { select = 'all' } = options;
  return (await createToolSets(options))[select];
}

/** The same for each selection that is not wider than the given one; a wider one has no more tools than that. */
export async function createToolSets(options: ToolsetOptions): Promise<Record<ToolSelection, readonly AgentTool[]>> {
  const { select = 'all' } = options;
  if (select === 'none') return { none: [], read: [], all: [] };
  const { env = BARE_ENVIRONMENT, clock = systemClock } = options;
  const { cwd, additionalDirectories = [], files } = options;
  const workspace = await Workspace.open(cwd, { additionalDirectories, secrets: secretPlaces(env), files });
  const context: ToolsetContext = {
    workspace,
    env,
    clock,
    web: options.web ?? {},
    sandbox: options.sandbox ?? (await openSandbox({ cwd, additionalDirectories, env, clock })),
  };
  const { skills = [] } = options;
  const reading = [
    createReadFileTool(context),
    createListDirTool(context),
    createSearchTool(context),
    ...(skills.length === 0 ? [] : [createReadSkillTool(skills)]),
  ];
  if (select === 'read') return { none: [], read: reading, all: reading };
  const acting = [createShellTool(context), createApplyPatchTool(context), createUpdatePlanTool()];
  return { none: [], read: reading, all: [...acting, ...reading, createFetchUrlTool(context)] };
}
