import { isObject, nonEmpty, parseJson, stringOf, type JsonObject } from '../../base/json.ts';
import { ABORTED, type BuiltInTool } from './client-tool.ts';
import { standIn } from './function.ts';

/** The file editor of the Responses API: one operation on one file in each call. */
export const applyPatch: BuiltInTool = {
  kind: 'apply_patch',
  callType: 'apply_patch_call',
  outputType: 'apply_patch_call_output',
  idPrefix: 'apc_',
  asFunction: (_tool, name) => standIn(name, DESCRIPTION, PARAMETERS, ['type', 'path']),
  toCall: (args, head) => ({
    type: 'apply_patch_call',
    ...head,
    status: head.status === 'completed' ? head.status : 'in_progress', // the API knows no such call that is incomplete
    operation: parseOperation(args),
  }),
  toArguments: ({ operation }) => JSON.stringify(isObject(operation) ? operation : {}),
  outputText: ({ status, output }) => {
    const text = stringOf(output) ?? '';
    if (status === 'failed') return text === '' ? 'Failed.' : `Failed: ${text}`;
    return text === '' ? 'Done.' : text;
  },
  aborted: (call_id) => ({ type: 'apply_patch_call_output', call_id, status: 'failed', output: ABORTED }),
  chatName: 'apply_patch',
};

const PARAMETERS = {
  type: { type: 'string', enum: ['create_file', 'update_file', 'delete_file'] },
  path: { type: 'string', description: 'The file, relative to the working directory.' },
  diff: { type: 'string', description: 'What is to be changed; left out for delete_file.' },
};

const DESCRIPTION = `Creates, updates or deletes one file of the user. Call it once for each file.

The diff has no file headers, no line numbers and nothing around it.
- create_file: the whole content, every line of it begins with "+".
- update_file: sections of changed lines. A section may begin with a line "@@ " and the class or function that it is in. Then come the lines: one that stays begins with a space, one that goes with "-", one that is new with "+". Give about three lines that stay before and after each change, exactly as they are in the file, so that its place is found.

For example, for update_file:
@@ def greet():
     name = "you"
-    print("Hi")
+    print("Hello " + name)
     return name`;

/** The `operation` of an `apply_patch_call`. */
type PatchOperation =
  | { readonly type: 'create_file' | 'update_file'; readonly path: string; readonly diff: string }
  | { readonly type: 'delete_file'; readonly path: string };

/**
 * What a model wants to be done to a file. What cannot be read becomes an update of the file without a name: no client
 * can do it, and the model is told that it failed. Nothing is ever deleted by guess.
 */
function parseOperation(args: string): PatchOperation {
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
