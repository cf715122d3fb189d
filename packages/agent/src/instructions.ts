import { textOfDocs, type ProjectDoc } from './project/project-docs.ts';
import type { ToolSelection } from './tools/toolset.ts';

/** The system text of an agent that was given none. `undefined` without tools: the model then needs no instructions. */
export function defaultInstructions(options: {
  readonly cwd: string;
  readonly tools: ToolSelection;
}): string | undefined {
  if (options.tools === 'none') return undefined;
  const writing =
    options.tools === 'all'
      ? 'Change files with apply_patch. Run commands with shell; what it starts ends with it. Keep a plan of longer work with update_plan. Some calls need a yes of the user; when one is refused, do not try to get the same another way.'
      : 'You can look at files and cannot change them.';
  return [
    `You are a careful software engineer who works in the folder ${options.cwd} through tools.`,
    'Look before you change: read the files that matter, then act, then check that it worked.',
    writing,
    'Answer briefly and in plain words. Say what you did, and what you could not do.',
  ].join('\n');
}

/** The system text for these tools: the caller's own or ours, and what the project says to those who work in it. */
export function instructionsFor(options: {
  readonly cwd: string;
  readonly tools: ToolSelection;
  /** Default: ours. */
  readonly text: string | undefined;
  readonly docs: readonly ProjectDoc[];
}): string | undefined {
  const { tools, docs } = options;
  const text = options.text ?? defaultInstructions(options);
  if (tools === 'none' || docs.length === 0) return text;
  return [...(text === undefined ? [] : [text]), textOfDocs(docs)].join('\n\n');
}
