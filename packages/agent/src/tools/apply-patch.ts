import { z } from 'zod';
import type { FileChange } from '../events.ts';
import { labelOf } from '../patch/entry.ts';
import { parsePatch, PatchError } from '../patch/parse.ts';
import { planPatch, type PatchPlan } from '../patch/plan.ts';
import { writeFiles } from '../patch/write-files.ts';
import { defineTool, ToolInputError, type AgentTool } from '../tool.ts';
import type { ToolsetContext } from '../tool-context.ts';
import type { Workspace } from '../workspace.ts';

const DESCRIPTION = `Changes files: all of them or, when one part does not fit, none. The input is a patch:
*** Begin Patch
*** Add File: path        (then every line of the new file, each with + in front)
*** Delete File: path
*** Update File: path     (optionally followed by: *** Move to: new/path)
@@ a line above the place, to find it (may be left empty)
 a line that stays, with a space in front
-a line that goes
+a line that comes
*** End of File           (only when the place is at the end of the file)
*** End Patch
Give about three lines of context around a change.`;

const schema = z.strictObject({
  input: z.string().min(1).describe('The patch, from *** Begin Patch to *** End Patch.'),
});

/** `apply_patch`: Codex' patch format, atomically. Takes the patch as a JSON argument or as a custom tool's text. */
export function createApplyPatchTool(context: ToolsetContext): AgentTool {
  const { workspace } = context;
  return defineTool({
    name: 'apply_patch',
    description: DESCRIPTION,
    kind: 'edit',
    schema,
    parallel: false,
    fromText: (input) => ({ input }),
    async plan({ input }) {
      const plan = await planOf(input, workspace);
      const paths = plan.writes.map((write) => write.path);
      return {
        title: `patch ${plan.writes.map((write) => labelOf(workspace.show(write.path), write.before)).join(', ')}`,
        locations: paths.map((path) => ({ path })),
        changes: plan.changes,
        writes: plan.writes,
        approval: { reason: reasonFor(plan, workspace.name), rules: paths.map((path) => `write:${path}`) },
        async run() {
          await writeFiles(plan.writes, workspace.files);
          return { output: summaryOf(plan.changes, workspace), ok: true };
        },
      };
    },
  });
}

async function planOf(input: string, workspace: Workspace): Promise<PatchPlan> {
  try {
    return await planPatch(parsePatch(input), workspace);
  } catch (error) {
    if (error instanceof PatchError) throw new ToolInputError(`the patch was not applied: ${error.message}`);
    throw error;
  }
}

function reasonFor(plan: PatchPlan, folders: string): string {
  const files = plan.writes.length === 1 ? 'a file' : `${plan.writes.length} files`;
  const links = plan.writes.some((write) => write.before?.type === 'link');
  const outside = plan.outside.length === 0 ? '' : `, outside ${folders}: ${plan.outside.join(', ')}`;
  return `it writes ${files}${links ? '; of a link only the name goes, what it leads to stays' : ''}${outside}`;
}

function summaryOf(changes: readonly FileChange[], workspace: Workspace): string {
  const letters = { add: 'A', update: 'M', delete: 'D', move: 'R' } as const;
  const lines = changes.map(({ kind, path, moved_to: to }) => {
    const target = to === undefined ? '' : ` -> ${workspace.show(to)}`;
    return `${letters[kind]} ${workspace.show(path)}${target}`;
  });
  return `applied:\n${lines.join('\n')}`;
}
