import type { AgentEvent, ProjectDocEvent } from '../events.ts';
import { textOfNearDocs, type ProjectDoc, type ProjectDocs } from '../project/project-docs.ts';
import type { ToolPlan, ToolResult } from '../tool.ts';

/** The result with what the project says of the folders that the tool worked in, where that is new. */
export async function withNearDocs<T extends ToolResult>(
  result: T,
  { locations = [] }: ToolPlan,
  { docs, emit }: { readonly docs: ProjectDocs | undefined; readonly emit: (event: AgentEvent) => void },
): Promise<T> {
  const near = result.ok ? await docs?.near(locations.map(({ path }) => path)) : undefined;
  if (near === undefined || near.length === 0) return result;
  for (const doc of near) emit(toDocEvent(doc));
  return { ...result, output: result.output + textOfNearDocs(near) };
}

export function toDocEvent({ path, name, bytes, isCut }: ProjectDoc): ProjectDocEvent {
  return { type: 'project_doc.told', path, name, bytes, is_cut: isCut };
}
