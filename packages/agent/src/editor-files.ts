/**
 * Text files as an editor has them, with what is not saved yet: `read_file` and patches read and write there instead of on
 * the disk. An editor that can only do one of both is no such thing: what was read in one place would be written over in
 * the other.
 */
export interface EditorFiles {
  /** Whether it is asked about a file. `path` is absolute, without symbolic links. */
  has(path: string): boolean;
  /** The whole text of a file that is on the disk. */
  read(path: string): Promise<string>;
  /** Makes the file where there is none; its folder is there. */
  write(path: string, text: string): Promise<void>;
}

/** The editor, if it is asked about this file. */
export function editorOf(files: EditorFiles | undefined, path: string): EditorFiles | undefined {
  return files?.has(path) === true ? files : undefined;
}
