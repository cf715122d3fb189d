import { z } from 'zod';
import type { FileWrite } from '../file-write.ts';
import type { EditorFiles } from '../editor-files.ts';
import { assertWritable, readEntry } from './entry.ts';
import { writeFiles } from './write-files.ts';

const entrySchema = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('file'), text: z.string(), mode: z.number().int().optional() }),
    z.object({ type: z.literal('link'), target: z.string() }),
  ])
  .nullable();

const patchSchema = z.object({
  title: z.string(),
  writes: z.array(z.object({ path: z.string(), before: entrySchema, after: entrySchema })),
});

/** A patch that was applied, as far as it takes to take it back. */
export interface AppliedPatch {
  /** One line for people: `patch a.txt`. */
  readonly title: string;
  readonly writes: readonly FileWrite[];
}

/** `undefined` for what is none. */
export function readAppliedPatch(value: unknown): AppliedPatch | undefined {
  const patch = patchSchema.safeParse(value).data;
  // Optional members are absent, not undefined, in what was JSON.
  return patch as AppliedPatch | undefined;
}

/** The patches of a conversation that can be taken back, the last one first. */
export interface PatchStore {
  /** Keeps a patch; the oldest are forgotten when there are too many. */
  push(patch: AppliedPatch): Promise<void>;
  /** `undefined` when there is none. */
  last(): Promise<AppliedPatch | undefined>;
  /** Forgets the last one. */
  drop(): Promise<void>;
}

/** More than a person goes back. */
export const MAX_PATCHES = 50;

/** For a conversation that is not kept. */
export function createPatchMemory(): PatchStore {
  let patches: readonly AppliedPatch[] = [];
  return {
    push: (patch) => {
      patches = [...patches, patch].slice(-MAX_PATCHES);
      return Promise.resolve();
    },
    last: () => Promise.resolve(patches.at(-1)),
    drop: () => {
      patches = patches.slice(0, -1);
      return Promise.resolve();
    },
  };
}

/**
 * Puts back what stood there before a patch: contents, names, modes, links; all of it or nothing. Fails when one of the files has been
 * changed since, is read-only, or with the system's error.
 */
export async function takeBack({ writes }: AppliedPatch, files?: EditorFiles): Promise<void> {
  for (const { path } of writes) await assertWritable(path, await readEntry(path, path, files), path);
  await writeFiles(
    writes.map(({ path, before, after }) => ({ path, before: after, after: before })).toReversed(),
    files,
  );
}
