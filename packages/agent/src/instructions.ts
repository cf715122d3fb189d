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
  /** Folders that belong to the work beside it. */
  readonly additionalDirectories: readonly string[];
  readonly tools: ToolSelection;
  /** Default: ours. */
  readonly text: string | undefined;
  readonly docs: readonly ProjectDoc[];
}): string | undefined {
  const { tools, docs, additionalDirectories } = options;
  const text = options.text ?? defaultInstructions(options);
  if (tools === 'none') return text;
  const more = [
    ...(additionalDirectories.length === 0 ? [] : [textOfDirectories(additionalDirectories)]),
    ...(docs.length === 0 ? [] : [textOfDocs(docs)]),
  ];
  return text === undefined && more.length === 0 ? undefined : [text ?? [], ...more].flat().join('\n\n');
}

/** A path is quoted: its name may be made of lines. */
function textOfDirectories(paths: readonly string[]): string {
  const names = paths.map((path) => JSON.stringify(path)).join(', ');
  return `These folders belong to the work too; name what is in them by absolute paths: ${names}.`;
}
