import type { JsonObject } from '../base/json.ts';

/** What a function says that stands for one of Anthropic's tools. */
export interface ClientToolSchema {
  readonly description: string;
  readonly parameters: JsonObject;
}

/**
 * Anthropic's tools that the client runs, and whose schema its models know without being told: other models are told.
 * Arguments after docs.claude.com, "Bash tool", "Text editor tool" and "Memory tool". A row counts for all dates of its tool.
 */
const schemas: Readonly<Record<string, ClientToolSchema>> = {
  bash: {
    description: "Runs a command in a bash session on the user's machine that lasts from call to call.",
    parameters: objectOf(
      {
        command: text('The command to run.'),
        restart: { type: 'boolean', description: 'True to start the session anew; then no command is needed.' },
      },
      [],
    ),
  },
  text_editor: {
    description: "Shows, creates and changes text files on the user's machine.",
    parameters: objectOf(
      {
        command: { type: 'string', enum: ['view', 'create', 'str_replace', 'insert'] },
        path: text('The file or folder.'),
        view_range: { type: 'array', items: { type: 'integer' }, description: 'For view: the first and last line.' },
        file_text: text('For create: the whole text.'),
        old_str: text('For str_replace: the text to replace, which stands in the file once.'),
        new_str: text('For str_replace: what takes its place.'),
        insert_line: { type: 'integer', description: 'For insert: the line behind which the text goes; 0 is the top.' },
        insert_text: text('For insert: the text.'),
      },
      ['command', 'path'],
    ),
  },
  memory: {
    description: 'Keeps notes in files below /memories, which last from conversation to conversation.',
    parameters: objectOf(
      {
        command: { type: 'string', enum: ['view', 'create', 'str_replace', 'insert', 'delete', 'rename'] },
        path: text('The file or folder, below /memories.'),
        view_range: { type: 'array', items: { type: 'integer' }, description: 'For view: the first and last line.' },
        file_text: text('For create: the whole text.'),
        old_str: text('For str_replace: the text to replace.'),
        new_str: text('For str_replace: what takes its place.'),
        insert_line: { type: 'integer', description: 'For insert: the line behind which the text goes.' },
        insert_text: text('For insert: the text.'),
        old_path: text('For rename: the old path.'),
        new_path: text('For rename: the new path.'),
      },
      ['command'],
    ),
  },
};

/** The schema of such a tool by its type, e.g. `bash_20250124`. */
export function clientToolSchema(type: string): ClientToolSchema | undefined {
  const [, name = ''] = /^([a-z_]+)_\d{8}$/.exec(type) ?? [];
  return Object.hasOwn(schemas, name) ? schemas[name] : undefined;
}

function text(description: string): JsonObject {
  return { type: 'string', description };
}

function objectOf(properties: JsonObject, required: readonly string[]): JsonObject {
  return { type: 'object', properties, required };
}
