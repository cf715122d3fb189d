import { stringOf } from '@turnwire/wire/internal/base/json';
import { readTextFolder, type NamedText, type ReadOptions, type TextFolder, type TextKind } from './text-folder.ts';

/** A command that a person wrote as a Markdown file: a prompt with a name. */
export interface PromptCommand {
  /** That of its file, without `.md`. */
  readonly name: string;
  /** One line: `description` of its front matter, else its first line. */
  readonly description: string;
  /** Its text, without the front matter. */
  readonly body: string;
  /** Of its file. */
  readonly path: string;
}

const MAX_DESCRIPTION = 200;

const kind: TextKind<PromptCommand> = {
  called: 'command',
  maxFiles: 100,
  fileOf: (entry) => (entry.endsWith('.md') ? { name: entry.slice(0, -'.md'.length), file: entry } : undefined),
  make: ({ name, path, fields, body }: NamedText) => {
    const description = firstLine(stringOf(fields.description) ?? body);
    return { name, description, body, path };
  },
};

/** The commands in a folder, one per `NAME.md`; at most 100, of 64 KiB each. A folder that cannot be read has none. */
export function readPromptCommands(folder: string, options: ReadOptions): Promise<TextFolder<PromptCommand>> {
  return readTextFolder(folder, kind, options);
}

/** What is sent for `/NAME ARGUMENTS`: `$ARGUMENTS` in the text is what was typed; where it has none, that stands behind it. */
export function promptOf({ body }: PromptCommand, typed: string): string {
  if (body.includes('$ARGUMENTS')) return body.replaceAll('$ARGUMENTS', () => typed).trim();
  return typed === '' ? body.trim() : `${body.trim()}\n\n${typed}`;
}

/** What is sent for a text: that of the command which it names, else the text itself. */
export function withCommand(text: string, commands: readonly PromptCommand[]): string {
  const [, name, typed = ''] = /^\s*\/(\S+)(?:\s+([^]*))?$/.exec(text) ?? [];
  const command = commands.find((one) => one.name === name);
  return command === undefined ? text : promptOf(command, typed.trim());
}

function firstLine(text: string): string {
  const [line = ''] = text.trim().split('\n');
  return line.trim().slice(0, MAX_DESCRIPTION);
}
