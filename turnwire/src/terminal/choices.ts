import type { AutocompleteItem } from '@earendil-works/pi-tui';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { ChatBackend } from './backend.ts';
import { fuzzyFilter } from './pi-tui.ts';
import { oneLine, shortCount } from './text.ts';
import type { ToolOutput } from './view-state.ts';

const MAX_SHOWN = 20;

export interface ChoiceSources {
  readonly backend: ChatBackend;
  /** The latest last. */
  readonly outputs: () => readonly ToolOutput[];
}

type Choices = (sources: ChoiceSources) => Promise<readonly Choice[]> | readonly Choice[];

interface Choice {
  readonly value: string;
  readonly description?: string;
}

/** What there is to choose from after a command, best first. */
const tables: Readonly<Record<string, Choices>> = {
  model: async ({ backend }) =>
    (await backend.models()).map(({ id, contextWindow }) => ({
      value: id,
      ...(contextWindow === undefined ? {} : { description: `${shortCount(contextWindow)} tokens` }),
    })),
  provider: async ({ backend }) => (await backend.providers()).map((value) => ({ value })),
  resume: async ({ backend }) =>
    (await backend.threads()).map(({ id, preview }) => ({ value: id, description: oneLine(preview, 60) })),
  output: ({ outputs }) =>
    outputs()
      .toReversed()
      .map(({ title }, at) => ({ value: String(at + 1), description: oneLine(title, 60) })),
};

/** True for a command after which there is something to choose. */
export function hasChoices(name: string): boolean {
  return Object.hasOwn(tables, name);
}

/**
 * The choices that fit what was typed of the argument. Their value is the whole line, so that Enter chooses and sends in
 * one. Fails as the backend does.
 */
export async function choicesFor(name: string, typed: string, sources: ChoiceSources): Promise<AutocompleteItem[]> {
  const all = hasChoices(name) ? await tables[name]?.(sources) : undefined;
  const found = fuzzyFilter([...(all ?? [])], typed, ({ value, description = '' }) => `${value} ${description}`);
  return found.slice(0, MAX_SHOWN).map(({ value, description }) => ({
    value: `/${name} ${value}`,
    label: visible(value),
    ...(description === undefined ? {} : { description }),
  }));
}
