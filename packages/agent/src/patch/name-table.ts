import { dirname, isAbsolute, relative, sep } from 'node:path';
import { MAX_LINKS, type Workspace } from '../workspace.ts';
import type { Entry } from '../file-write.ts';
import { readEntry } from './entry.ts';
import { PatchError } from './parse.ts';

/** A name that a patch speaks of: what stands there, and what will. */
export interface NameState {
  /** Absolute. The links of its folder are resolved; it may be a link itself. */
  readonly path: string;
  /** It lies in a folder of the session. (Where a link leads is another question.) */
  readonly inside: boolean;
  readonly before: Entry | null;
  after: Entry | null;
  /** Where the entry was before the patch, if it was moved here. */
  origin?: NameState;
}

/** The names of a patch. Its sections see each other's work, whatever path leads to it. */
export class NameTable {
  readonly #workspace: Workspace;
  readonly #states = new Map<string, NameState>();

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** The name itself, for what removes or renames. */
  async name(path: string, base?: string, shown = path): Promise<NameState> {
    const { real } = await this.#workspace.locateName(path, base);
    const known = this.#states.get(real);
    if (known !== undefined) return known;
    const before = await readEntry(real, shown, this.#workspace.files);
    const state: NameState = { path: real, inside: this.#workspace.contains(real), before, after: before };
    this.#states.set(real, state);
    return state;
  }

  /** The file that the name stands for, through links, for what changes content. */
  async file(path: string): Promise<NameState> {
    let state = await this.name(path);
    for (let links = 0; state.after?.type === 'link'; links += 1) {
      if (links === MAX_LINKS) throw new PatchError(`${path}: too many symbolic links`);
      state = await this.name(state.after.target, dirname(state.path), path);
    }
    return state;
  }

  states(): NameState[] {
    return [...this.#states.values()];
  }
}

/** Gives an entry another name. Fails with `PatchError` when something has that name. `shown` is it for people. */
export function moveEntry(from: NameState, to: NameState, shown: string): void {
  if (from === to) return;
  if (to.after !== null) throw new PatchError(`${shown} exists already: nothing can be moved there`);
  to.after = movedEntry(from, to);
  const origin = from.origin ?? (from.before === null ? undefined : from);
  if (origin === undefined || origin === to) delete to.origin;
  else to.origin = origin;
  delete from.origin;
  from.after = null;
}

/** A relative link is read from its own folder: moved to another one, it is written so that it leads where it led. */
function movedEntry(from: NameState, to: NameState): Entry | null {
  const way = relative(dirname(to.path), dirname(from.path));
  if (from.after?.type !== 'link' || way === '' || isAbsolute(from.after.target)) return from.after;
  return { type: 'link', target: `${way}${sep}${from.after.target}` };
}
