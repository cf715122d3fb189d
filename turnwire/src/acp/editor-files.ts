import { realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { AgentContext } from '@agentclientprotocol/sdk';
import type { EditorFiles } from '@turnwire/agent';
import { contains } from '@turnwire/agent/internal/sandbox/paths';

export interface EditorFilesOptions {
  readonly client: AgentContext;
  /** Known when the first file is asked for. */
  readonly sessionId: () => string;
  /** As the editor names it, links and all: so it is told of each file. */
  readonly cwd: string;
}

/** The files of the working directory through the editor. What lies elsewhere is no file of its project. */
export async function openEditorFiles({ client, sessionId, cwd }: EditorFilesOptions): Promise<EditorFiles> {
  const root = await realpath(cwd);
  const nameOf = (path: string): string => join(cwd, relative(root, path));
  return {
    has: (path) => contains(root, path),
    async read(path) {
      const { content } = await client.request('fs/read_text_file', { sessionId: sessionId(), path: nameOf(path) });
      return content;
    },
    async write(path, content) {
      await client.request('fs/write_text_file', { sessionId: sessionId(), path: nameOf(path), content });
    },
  };
}
