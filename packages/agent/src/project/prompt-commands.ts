import { createHash } from 'node:crypto';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { stringOf } from '@turnwire/wire/internal/base/json';
import { splitFrontMatter } from './front-matter.ts';
import { readSmallText } from './read-text.ts';

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

/** What a folder of them holds. */
export interface PromptCommands {
  /** By name. */
  readonly commands: readonly PromptCommand[];
  /** One line for each file that cannot be used. */
  readonly notes: readonly string[];
  /** Of the names and texts of the commands, in hexadecimal: what was asked about is what is used. */
  readonly sha256: string;
}

/** What a name may be, so that it is none of a path. */
const NAME = /^[a-z][a-z0-9_-]{0,63}$/;
const MAX_FILES = 100;
const MAX_BYTES = 64 * 1024;
const MAX_DESCRIPTION = 200;

/**
 * The commands in a folder, one per `NAME.md`; at most 100, of 64 KiB each. A folder that cannot be read has none. Without
 * `followLinks` neither the folder nor a file of it is read through a symbolic link: whoever made the project made the link.
 */
export async function readPromptCommands(
  folder: string,
  { followLinks }: { readonly followLinks: boolean },
): Promise<PromptCommands> {
  const files = await markdownFiles(folder, followLinks);
  const read = await Promise.all(files.slice(0, MAX_FILES).map((file) => readCommand(folder, file)));
  const commands = read.filter((one) => typeof one !== 'string');
  const notes = [
    ...read.filter((one) => typeof one === 'string'),
    ...(files.length > MAX_FILES ? [`only the first ${MAX_FILES} commands of ${folder} are used`] : []),
  ];
  const texts = commands.map(({ name, description, body }) => [name, description, body]);
  return { commands, notes, sha256: createHash('sha256').update(JSON.stringify(texts)).digest('hex') };
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

async function markdownFiles(folder: string, followLinks: boolean): Promise<readonly string[]> {
  try {
    if (!followLinks && (await realpath(folder)) !== folder) return [];
    const entries = await readdir(folder, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() || (followLinks && entry.isSymbolicLink()));
    return files.flatMap(({ name }) => (name.endsWith('.md') ? [name] : [])).sort();
  } catch {
    return [];
  }
}

/** The command in a file, or why there is none. */
async function readCommand(folder: string, file: string): Promise<PromptCommand | string> {
  const path = join(folder, file);
  const name = file.slice(0, -'.md'.length);
  const unused = (why: string): string => `the command ${path} is not used: ${why}`;
  if (!NAME.test(name)) return unused('a name is of lower-case letters, digits, - and _, and begins with a letter');
  const read = await readSmallText(path, MAX_BYTES);
  if (read === undefined) return unused('it is empty, no text, or cannot be read');
  if (read.isCut) return unused(`it is larger than ${MAX_BYTES / 1024} KiB`);
  try {
    const { fields, body } = await splitFrontMatter(read.text);
    if (body.trim() === '') return unused('it has no text');
    const description = stringOf(fields.description) ?? body.trim();
    return { name, description: firstLine(description), body, path };
  } catch (error) {
    return unused(error instanceof Error ? error.message : String(error));
  }
}

function firstLine(text: string): string {
  const [line = ''] = text.trim().split('\n');
  return line.trim().slice(0, MAX_DESCRIPTION);
}
