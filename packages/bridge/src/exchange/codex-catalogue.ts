import { createHash } from 'node:crypto';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { ModelFacts } from '../options.ts';
import { codexInstructions } from './codex-instructions.ts';

/** Tokens of a command's output that Codex puts into the conversation, where the window is large. */
const OUTPUT_TOKENS = 10_000;

/**
 * The models as Codex asks for them (`GET /models?client_version=…`), so that it knows what a model can do instead of guessing.
 * Fields as `codex debug models` of Codex 0.169 prints them; those that have no default there are all here.
 */
export function codexCatalogue(facts: ReadonlyMap<string, ModelFacts>): JsonObject {
  return { models: Array.from(facts, ([name, known], place) => entryOf(name, known, place)) };
}

/** By which Codex knows that it has this list already. */
export function etagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`;
}

function entryOf(slug: string, { contextWindow, images, reasoningLevels = [] }: ModelFacts, place: number): JsonObject {
  const window =
    contextWindow === undefined ? {} : { context_window: contextWindow, max_context_window: contextWindow };
  return {
    slug,
    display_name: slug,
    description: null,
    ...window,
    effective_context_window_percent: 95,
    input_modalities: images === true ? ['text', 'image'] : ['text'],
    default_reasoning_level: defaultOf(reasoningLevels),
    supported_reasoning_levels: reasoningLevels.map((effort) => ({ effort, description: effort })),
    supports_reasoning_summaries: true,
    default_reasoning_summary: 'auto',
    support_verbosity: false,
    default_verbosity: null,
    shell_type: 'unified_exec',
    apply_patch_tool_type: 'freeform',
    supports_parallel_tool_calls: true,
    experimental_supported_tools: [],
    truncation_policy: { mode: 'tokens', limit: Math.min(OUTPUT_TOKENS, Math.ceil((contextWindow ?? Infinity) / 8)) },
    visibility: 'list',
    supported_in_api: true,
    priority: place + 1,
    availability_nux: null,
    upgrade: null,
    base_instructions: codexInstructions,
  };
}

function defaultOf(levels: readonly string[]): string | null {
  return levels.includes('medium') ? 'medium' : (levels[0] ?? null);
}
