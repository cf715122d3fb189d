import { isObject, nonEmpty, parseJson, stringOf, type JsonObject } from '../../base/json.ts';

/** The `action` of a `shell_call`. */
export interface ShellAction {
  readonly commands: readonly string[];
  readonly timeout_ms: number | null;
  readonly max_output_length: number | null;
}

/** The `operation` of an `apply_patch_call`. */
export type PatchOperation =
  | { readonly type: 'create_file' | 'update_file'; readonly path: string; readonly diff: string }
  | { readonly type: 'delete_file'; readonly path: string };

/**
 * What a model wants to be run. Of arguments that name no command comes an empty list: clients run nothing then, and
 * go on, where a call of another kind would end many a run. Text that is no JSON is never run: half of a command, or
 * one with its quotes undone, may do anything.
 */
export function shellActionOf(args: string): ShellAction {
  const value = parseJson(args);
  const fields = isObject(value) ? value : { commands: value };
  return {
    commands: commandsOf(fields.commands) ?? lineOf(fields.command) ?? lineOf(fields.cmd) ?? [],
    timeout_ms: countOf(fields.timeout_ms),
    max_output_length: countOf(fields.max_output_length),
  };
}

function commandsOf(value: unknown): readonly string[] | undefined {
  const line = lineOf(value);
  if (line !== undefined || !Array.isArray(value)) return line;
  return value.every((command) => typeof command === 'string') ? value : undefined;
}

/** One command line: as text, or as a shell with its arguments, which other tools of this kind want. */
function lineOf(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return value === '' ? undefined : [value];
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [program, flag, line] = value as readonly unknown[];
  const isShell = /^(?:\/bin\/)?(?:ba|z)?sh$/.test(String(program)) && /^-l?c$/.test(String(flag));
  return isShell && typeof line === 'string' ? [line] : undefined;
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? Math.round(value) : null;
}

/**
 * What a model wants to be done to a file. What cannot be read becomes an update of the file without a name: no client
 * can do it, and the model is told that it failed. Nothing is ever deleted by guess.
 */
export function patchOperationOf(args: string): PatchOperation {
  const value = parseJson(args);
  const fields = isObject(value) ? value : {};
  const inner = isObject(fields.operation) ? fields.operation : fields;
  return fromFields(inner) ?? fromEnvelope(onlyText(value) ?? args) ?? { type: 'update_file', path: '', diff: args };
}

function fromFields(fields: JsonObject): PatchOperation | undefined {
  const path = nonEmpty(fields.path);
  if (path === undefined) return undefined;
  const given = stringOf(fields.diff);
  const diff = given === undefined ? undefined : (openEnvelope(given)?.diff ?? given);
  switch (fields.type) {
    case 'create_file':
      return { type: 'create_file', path, diff: asAddedLines(diff ?? '') };
    case 'update_file':
      return diff === undefined ? undefined : { type: 'update_file', path, diff };
    case 'delete_file':
      return { type: 'delete_file', path };
    default:
      return undefined;
  }
}

const FILE_HEADER = /^\*\*\* (Add|Update|Delete) File: (.+?)\s*$/;
const ENVELOPE_TYPES: Readonly<Record<string, PatchOperation['type']>> = {
  Add: 'create_file',
  Update: 'update_file',
  Delete: 'delete_file',
};

interface Envelope {
  readonly type: PatchOperation['type'] | undefined;
  readonly path: string | undefined;
  readonly diff: string;
}

/** A patch of one file in the form that the freeform tool of this name takes; undefined for anything else. */
function openEnvelope(text: string): Envelope | undefined {
  const [begin, header = '', ...rest] = text.trim().split('\n');
  const [, kind = '', path] = FILE_HEADER.exec(header) ?? [];
  if (begin?.trim() !== '*** Begin Patch' || path === undefined) return undefined;
  if (rest.at(-1)?.trim() === '*** End Patch') rest.pop();
  if (rest.some((line) => FILE_HEADER.test(line))) return undefined;
  return { type: ENVELOPE_TYPES[kind], path, diff: rest.map((line) => `${line}\n`).join('') };
}

function fromEnvelope(text: string): PatchOperation | undefined {
  const envelope = openEnvelope(text);
  return envelope === undefined ? undefined : fromFields({ ...envelope });
}

function onlyText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const values = isObject(value) ? Object.values(value) : [];
  return values.length === 1 ? stringOf(values[0]) : undefined;
}

/** Clients refuse a new file whose lines do not begin with `+`; models write its content as it is, or leave empty lines bare. */
function asAddedLines(diff: string): string {
  const lines = diff.split('\n');
  const last = lines.at(-1) === '' ? lines.pop() : undefined;
  if (lines.every((line) => line.startsWith('+'))) return diff;
  const bareOnly = lines.every((line) => line.trim() === '' || line.startsWith('+'));
  const added = lines.map((line) => (bareOnly && line.startsWith('+') ? line : `+${line}`));
  return added.join('\n') + (last === undefined ? '' : '\n');
}
