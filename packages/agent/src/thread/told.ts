import { z } from 'zod';
import type { Item } from '@turnwire/wire/internal/model/items';
import type { Usage } from '@turnwire/wire/internal/model/usage';
import type { FileChange, PlanStep, ToolStatus } from '../events.ts';
import { textsOfDiff } from '../patch/diff.ts';

/** Characters of a diff that a thread keeps; what is past it stands in the call's own input. */
const MAX_DIFF = 200_000;

const changeSchema = z.object({
  kind: z.enum(['add', 'update', 'delete', 'move']),
  path: z.string(),
  moved_to: z.string().optional(),
  diff: z.string(),
});

const planSchema = z.array(z.object({ step: z.string(), status: z.enum(['pending', 'in_progress', 'completed']) }));

const toldSchema = z.object({
  kind: z.enum(['read', 'edit', 'search', 'execute', 'fetch', 'other']).optional(),
  title: z.string().optional(),
  locations: z.array(z.object({ path: z.string(), line: z.number().optional() })).optional(),
  changes: z.array(changeSchema).optional(),
  steps: planSchema.optional(),
  status: z.enum(['completed', 'failed', 'denied', 'interrupted', 'unknown']).optional(),
  exit_code: z.number().optional(),
  duration_ms: z.number().optional(),
});

/**
 * What people were told of a call: what it would do, and how it ended. A thread keeps it beside the conversation, for
 * those who show it again; no model gets it.
 */
export type ToldCall = z.output<typeof toldSchema>;

/** A file's change without its texts, which the diff shows as far as they differ. */
export type ToldChange = z.output<typeof changeSchema>;

/** A plan as a thread keeps it; `undefined` for what is none. */
export function readPlan(value: unknown): readonly PlanStep[] | undefined {
  return planSchema.safeParse(value).data;
}

/** The plan of the last call that changed it; `undefined` when none did. */
export function planOf(told: Told): readonly PlanStep[] | undefined {
  return [...told.values()].findLast(({ steps, status }) => steps !== undefined && status === 'completed')?.steps;
}

/** Names of files that a summary of the work repeats; the oldest are left out. */
const MAX_CHANGED = 100;

/** The files that these calls changed, behind those that are known, each once, the latest last. */
export function changedFiles(known: readonly string[], told: Told): readonly string[] {
  const done = [...told.values()].filter(({ status }) => status === 'completed');
  const paths = done.flatMap(({ changes = [] }) => changes.map(({ path, moved_to: to }) => to ?? path));
  return [...new Set([...known, ...paths].toReversed())].slice(0, MAX_CHANGED).toReversed();
}

/** What was told of the calls of a conversation, by the call's item, in the order of the calls. */
export type Told = ReadonlyMap<Item, ToldCall>;

/** `undefined` for what is none: the call is then shown by its name and input. */
export function readTold(value: unknown): ToldCall | undefined {
  return toldSchema.safeParse(value).data;
}

export const usageSchema = z.looseObject({
  input_tokens: z.number(),
  input_tokens_details: z.looseObject({ cached_tokens: z.number() }),
  output_tokens: z.number(),
  output_tokens_details: z.looseObject({ reasoning_tokens: z.number() }),
  total_tokens: z.number(),
});

/** What a turn cost; `undefined` for what is none. */
export function readUsage(value: unknown): Usage | undefined {
  return usageSchema.safeParse(value).data;
}

/** A change as a thread keeps it. */
export function toldChange({ kind, path, moved_to: movedTo, diff }: FileChange): ToldChange {
  const kept = diff.length <= MAX_DIFF ? diff : `${diff.slice(0, diff.lastIndexOf('\n', MAX_DIFF))}\n@@ … @@\n`;
  return { kind, path, ...(movedTo === undefined ? {} : { moved_to: movedTo }), diff: kept };
}

/** The change again. Its texts are the lines that the diff has of them. */
export function changeOfTold({ kind, path, moved_to: movedTo, diff }: ToldChange): FileChange {
  const { before, after } = textsOfDiff(diff);
  return {
    kind,
    path,
    ...(movedTo === undefined ? {} : { moved_to: movedTo }),
    old_text: kind === 'add' ? null : before,
    new_text: kind === 'delete' ? null : after,
    diff,
  };
}

/** What was told of the calls among `items`, by their place, for a record that holds these. */
export function toldByPlace(items: readonly Item[], told: Told): Readonly<Record<string, ToldCall>> {
  return Object.fromEntries(
    items.flatMap((item, at) => {
      const one = told.get(item);
      return one === undefined ? [] : [[at, one]];
    }),
  );
}

/** The way back from `toldByPlace`. */
export function toldOfPlaces(items: readonly Item[], places: Readonly<Record<string, unknown>>): [Item, ToldCall][] {
  return items.flatMap((item, at): [Item, ToldCall][] => {
    const one = readTold(places[at]);
    return one === undefined ? [] : [[item, one]];
  });
}

/** How a call ended of which no thread says it: one that was written before threads kept it. */
export function guessStatus(has: { readonly start: boolean; readonly output: boolean }): ToolStatus {
  if (has.start) return has.output ? 'completed' : 'unknown';
  // An output without a start is a refusal: of the agent, or of the person.
  return has.output ? 'failed' : 'interrupted';
}
