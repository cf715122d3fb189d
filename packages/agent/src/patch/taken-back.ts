import type { AppliedPatch } from './undo.ts';

const [TAKEN, AS_BEFORE] = ['[I took your last patch back: ', ' is as it was before.]'];

/** What the model is told of a patch that was taken back. */
export function takenBackText({ writes }: AppliedPatch): string {
  return TAKEN + writes.map(({ path }) => path).join(', ') + AS_BEFORE;
}

/** The files of which such a text tells; `undefined` for another text. */
export function filesTakenBack(text: string): string | undefined {
  return text.startsWith(TAKEN) && text.endsWith(AS_BEFORE) ? text.slice(TAKEN.length, -AS_BEFORE.length) : undefined;
}
