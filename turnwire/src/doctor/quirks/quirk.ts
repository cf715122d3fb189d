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

/** Quirks by name; a fault of the mock and what the doctor sees of it have the same name. */
export type QuirkTable = Readonly<Record<string, Quirk>>;

export function broken(right: string, stumbles: readonly string[], answer: string): Quirk {
  return { level: 'broken', right, stumbles, answer };
}

export function odd(right: string, stumbles: readonly string[], answer: string): Quirk {
  return { level: 'odd', right, stumbles, answer };
}

/** Names under which clients are told of, with the versions that were tried. */
export const client = {
  openai: (how: string) => `openai 7.55: ${how}`,
  aiSdk: (how: string) => `AI SDK 7: ${how}`,
  claude: (how: string) => `Claude Code 2.1: ${how}`,
  anthropic: (how: string) => `@anthropic-ai/sdk 1.11: ${how}`,
  codex: (how: string) => `Codex 0.169: ${how}`,
  oldCodex: (how: string) => `Codex on the chat wire (to 0.80): ${how}`,
  opencodex: (how: string) => `opencodex bridge: ${how}`,
  opencode: (how: string) => `opencode: ${how}`,
  agents: (how: string) => `@openai/agents: ${how}`,
  pi: (how: string) => `pi-ai 1.5: ${how}`,
  naive: (how: string) => `hand-written clients: ${how}`,
} as const;
