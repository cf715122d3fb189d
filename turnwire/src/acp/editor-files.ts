import { join, relative } from 'node:path';
import type { AgentContext } from '@agentclientprotocol/sdk';
import type { EditorFiles } from '@turnwire/agent';
import { contains } from '@turnwire/agent/internal/sandbox/paths';

export interface EditorFilesOptions {
  readonly client: AgentContext;
  /** Known when the first file is asked for. */
  readonly sessionId: () => string;
  /** The folders of the session. */
  readonly folders: readonly EditorFolder[];
}

/** A folder as the editor names it, links and all, and without symbolic links. */
export interface EditorFolder {
  readonly name: string;
  readonly real: string;
}

/**
 * The files of the session's folders through the editor, which is told of each as it names the folder. What lies elsewhere is
 * no file of its project.
 */
export function createEditorFiles({ client, sessionId, folders }: EditorFilesOptions): EditorFiles {
  const folderOf = (path: string): EditorFolder | undefined => folders.find(({ real }) => contains(real, path));
  const nameOf = (path: string): string => {
    const folder = folderOf(path);
    return folder === undefined ? path : join(folder.name, relative(folder.real, path));
  };
  return {
    has: (path) => folderOf(path) !== undefined,
    async read(path) {
      const { content } = await client.request('fs/read_text_file', { sessionId: sessionId(), path: nameOf(path) });
      return content;
    },
    async write(path, content) {
      await client.request('fs/write_text_file', { sessionId: sessionId(), path: nameOf(path), content });
    },
  };
}
