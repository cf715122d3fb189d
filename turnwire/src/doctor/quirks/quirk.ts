/** `broken`: a known client loses, misreads or never gets the answer. `odd`: allowed or harmless, but worth knowing. */
export type QuirkLevel = 'broken' | 'odd';

/** What a server may do, and what it means: one row of the table that the report is made of. */
export interface Quirk {
  readonly level: QuirkLevel;
  /** What a server should do instead, or why this is allowed. */
  readonly right: string;
  /** Who stumbles over it, and how. */
  readonly stumbles: readonly string[];
  /** What turnwire does about it: an option of the client, a heal of the bridge. */
  readonly answer: string;
}

/** What is different about a quirk on one wire; what is absent is as everywhere. */
export interface QuirkOnWire extends Partial<Pick<Quirk, 'level' | 'right'>> {
  readonly stumbles: readonly string[];
}

/** Quirks by name; a fault of the mock and what the doctor sees of it have the same name. */
export type QuirkTable = Readonly<Record<string, Quirk>>;

export function broken(right: string, stumbles: readonly string[], answer: string): Quirk {
  return { level: 'broken', right, stumbles, answer };
}

export function odd(right: string, stumbles: readonly string[], answer: string): Quirk {
  return { level: 'odd', right, stumbles, answer };
}

/** The clients that were tried, with their versions. */
const tried = {
  openai: 'openai 7.55',
  aiSdk: 'AI SDK 7',
  claude: 'Claude Code 2.1',
  anthropic: '@anthropic-ai/sdk 1.11',
  codex: 'Codex 0.169',
  oldCodex: 'Codex on the chat wire (to 0.80)',
  opencodex: 'opencodex bridge',
  opencode: 'opencode',
  agents: '@openai/agents',
  pi: 'pi-ai 1.5',
  /** The version that was tried on the Messages wire. */
  oldPi: 'pi-ai 0.74',
} as const;

const says =
  (name: string) =>
  (how: string): string =>
    `${name}: ${how}`;

/** What a client does, in a table. */
export const client = {
  openai: says(tried.openai),
  aiSdk: says(tried.aiSdk),
  claude: says(tried.claude),
  anthropic: says(tried.anthropic),
  codex: says(tried.codex),
  oldCodex: says(tried.oldCodex),
  opencodex: says(tried.opencodex),
  opencode: says(tried.opencode),
  agents: says(tried.agents),
  pi: says(tried.pi),
  oldPi: says(tried.oldPi),
  naive: says('hand-written clients'),
} as const;

/** True for what a client was seen to do, which says nothing of another wire. */
export function wasTried(stumble: string): boolean {
  return Object.values(tried).some((name) => stumble.startsWith(`${name}: `));
}
