import type { FileChange } from '../events.ts';
import type { Workspace } from '../workspace.ts';
import { applyChunks } from './apply.ts';
import { unifiedDiff } from './diff.ts';
import type { Entry, FileWrite } from '../file-write.ts';
import { assertWritable, contentOf, labelOf, sameEntry } from './entry.ts';
import { moveEntry, NameTable, type NameState } from './name-table.ts';
import { PatchError, type Section } from './parse.ts';

/** What a patch will do, worked out without touching anything. */
export interface PatchPlan {
  readonly changes: readonly FileChange[];
  readonly writes: readonly FileWrite[];
  /** Places outside of the folders of the session. */
  readonly outside: readonly string[];
}

/**
 * Works a patch out against the files as they are. What changes content goes through links to the file; what deletes or
 * moves is about the name, as in Codex and in `rm` and `mv`: a link goes, and what it leads to stays. Fails with
 * `PatchError` when any part of the patch does not fit.
 */
export async function planPatch(sections: readonly Section[], workspace: Workspace): Promise<PatchPlan> {
  const names = new NameTable(workspace);
  for (const section of sections) await applySection(section, names);
  const states = names.states().filter((state) => state.origin !== undefined || !sameEntry(state.before, state.after));
  if (states.length === 0) throw new PatchError('the patch changes nothing');
  for (const state of states) await assertMayChange(state, workspace);
  return {
    changes: toChanges(states, workspace),
    writes: states.map(({ path, before, after }) => ({ path, before, after })),
    outside: states.filter((state) => !state.inside).map((state) => state.path),
  };
}

async function applySection(section: Section, names: NameTable): Promise<void> {
  const { path } = section;
  switch (section.type) {
    case 'add': {
      const file = await names.file(path);
      file.after = withText(file.after, section.lines.map((line) => `${line}\n`).join(''));
      return;
    }
    case 'delete': {
      const name = await names.name(path);
      if (name.after === null) throw new PatchError(`${path} does not exist: it cannot be deleted`);
      name.after = null;
      return;
    }
    case 'update': {
      const name = await names.name(path);
      const file = await names.file(path);
      if (file.after?.type !== 'file') throw new PatchError(`${path} does not exist: it cannot be updated`);
      file.after = withText(file.after, applyChunks(file.after.text, section.chunks, path));
      if (section.moveTo !== undefined) moveEntry(name, await names.name(section.moveTo), section.moveTo);
      return;
    }
  }
}

function withText(entry: Entry | null, text: string): Entry {
  return entry?.type === 'file' ? { ...entry, text } : { type: 'file', text };
}

/** A read-only file may be deleted and renamed, as in every folder of one's own; new content it does not get. */
async function assertMayChange(state: NameState, workspace: Workspace): Promise<void> {
  const { path, before } = state.origin ?? state;
  if (state.after?.type !== 'file' || sameEntry(before, state.after)) return;
  await assertWritable(path, before, workspace.show(path));
}

function toChanges(states: readonly NameState[], workspace: Workspace): FileChange[] {
  const moved = new Set(states.map((state) => state.origin));
  return states
    .filter((state) => state.after !== null || !moved.has(state))
    .map((state) => toChange(state, state.origin, workspace));
}

function toChange(state: NameState, origin: NameState | undefined, workspace: Workspace): FileChange {
  const { path, before } = origin ?? state;
  const { after } = state;
  const names = [labelOf(workspace.show(path), before), labelOf(workspace.show(state.path), after)] as const;
  const [old_text, new_text] = [contentOf(before), contentOf(after)];
  const texts = { old_text, new_text, diff: unifiedDiff(names[0], old_text, new_text, names[1]) };
  if (origin !== undefined) return { kind: 'move', path, moved_to: state.path, ...texts };
  if (before === null) return { kind: 'add', path, ...texts };
  return { kind: after === null ? 'delete' : 'update', path, ...texts };
}
