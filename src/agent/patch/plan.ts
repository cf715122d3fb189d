import { readFile, stat } from 'node:fs/promises';
import type { FileChange } from '../events.ts';
import { codeOf, type Place, type Workspace } from '../tools/workspace.ts';
import { applyChunks } from './apply.ts';
import { unifiedDiff } from './diff.ts';
import { PatchError, type Section } from './parse.ts';
import type { FileWrite } from './write-files.ts';

const MAX_FILE_BYTES = 8 * 1024 * 1024;

/** What a patch will do, worked out without touching anything. */
export interface PatchPlan {
  readonly changes: readonly FileChange[];
  readonly writes: readonly FileWrite[];
  /** Places outside of the working directory. */
  readonly outside: readonly string[];
}

interface FileState {
  readonly place: Place;
  readonly before: string | null;
  after: string | null;
  mode: number | undefined;
  /** Real path of the file that was moved here. */
  movedFrom?: string;
}

/** Works a patch out against the files as they are. Fails with `PatchError` when any part of it does not fit. */
export async function planPatch(sections: readonly Section[], workspace: Workspace): Promise<PatchPlan> {
  const files = new Map<string, FileState>();
  const open = (path: string): Promise<FileState> => openFile(path, workspace, files);
  for (const section of sections) await applySection(section, open);
  const states = [...files.values()].filter((state) => state.before !== state.after);
  if (states.length === 0) throw new PatchError('the patch changes nothing');
  return {
    changes: changesOf(states, workspace),
    writes: states.map(({ place, before, after, mode }) => ({
      path: place.real,
      before,
      after,
      ...(mode === undefined ? {} : { mode }),
    })),
    outside: states.filter((state) => !state.place.inside).map((state) => state.place.real),
  };
}

async function applySection(section: Section, open: (path: string) => Promise<FileState>): Promise<void> {
  const file = await open(section.path);
  switch (section.type) {
    case 'add':
      file.after = section.lines.map((line) => `${line}\n`).join('');
      return;
    case 'delete':
      if (file.after === null) throw new PatchError(`${section.path} does not exist: it cannot be deleted`);
      file.after = null;
      return;
    case 'update': {
      if (file.after === null) throw new PatchError(`${section.path} does not exist: it cannot be updated`);
      const text = applyChunks(file.after, section.chunks, section.path);
      if (section.moveTo === undefined) file.after = text;
      else move(file, await open(section.moveTo), text, section.moveTo);
      return;
    }
  }
}

function move(from: FileState, to: FileState, text: string, name: string): void {
  if (from === to) {
    from.after = text;
    return;
  }
  if (to.after !== null) throw new PatchError(`${name} exists already: nothing can be moved there`);
  to.after = text;
  to.mode = from.mode;
  to.movedFrom = from.place.real;
  from.after = null;
}

/** Sections on the same file see each other's work, whatever name it goes by. */
async function openFile(path: string, workspace: Workspace, files: Map<string, FileState>): Promise<FileState> {
  const place = await workspace.locate(path);
  const known = files.get(place.real);
  if (known !== undefined) return known;
  const state: FileState = { place, ...(await contentOf(place.real, path)) };
  files.set(place.real, state);
  return state;
}

async function contentOf(real: string, name: string): Promise<Pick<FileState, 'before' | 'after' | 'mode'>> {
  try {
    const info = await stat(real);
    if (!info.isFile()) throw new PatchError(`${name} is not a regular file`);
    if (info.size > MAX_FILE_BYTES) throw new PatchError(`${name} is too large to be patched (${info.size} bytes)`);
    const text = textOf(await readFile(real), name);
    return { before: text, after: text, mode: info.mode };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { before: null, after: null, mode: undefined };
    if (codeOf(error) !== undefined) throw new PatchError(`${name}: ${String(codeOf(error))}`);
    throw error;
  }
}

function textOf(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new PatchError(`${name} is not UTF-8 text: it cannot be patched`);
  }
}

function changesOf(states: readonly FileState[], workspace: Workspace): FileChange[] {
  const moved = new Set(states.map((state) => state.movedFrom));
  const byPath = new Map(states.map((state) => [state.place.real, state]));
  return states
    .filter((state) => state.after !== null || !moved.has(state.place.real))
    .map((state) => changeOf(state, byPath.get(state.movedFrom ?? ''), workspace));
}

function changeOf(state: FileState, source: FileState | undefined, workspace: Workspace): FileChange {
  const { real } = state.place;
  const before = source === undefined ? state.before : source.before;
  const path = source === undefined ? real : source.place.real;
  const diff = unifiedDiff(workspace.show(path), before, state.after, workspace.show(real));
  const texts = { old_text: before, new_text: state.after, diff };
  if (source !== undefined) return { kind: 'move', path, moved_to: real, ...texts };
  if (state.before === null) return { kind: 'add', path, ...texts };
  return { kind: state.after === null ? 'delete' : 'update', path, ...texts };
}
