import { isObject, nonEmpty, stringOf, type JsonObject } from '../../base/json.ts';
import type { FunctionTool } from '../../model/request.ts';

/** A function tool under the name that the upstream gets to see. */
export function plainFunction(tool: JsonObject, name: string): FunctionTool {
  return {
    type: 'function',
    name,
    ...(stringOf(tool.description) === undefined ? {} : { description: String(tool.description) }),
    ...(isObject(tool.parameters) || tool.parameters === null ? { parameters: tool.parameters } : {}),
    ...(typeof tool.strict === 'boolean' ? { strict: tool.strict } : {}),
  };
}

/** A freeform tool as a function of one string. A grammar cannot bind the upstream, so the model is told of it. */
export function customAsFunction(tool: JsonObject, name: string): FunctionTool {
  return {
    type: 'function',
    name,
    description: [stringOf(tool.description) ?? '', HOW_TO_CALL, grammarNote(tool.format)].filter(Boolean).join('\n\n'),
    parameters: {
      type: 'object',
      properties: { input: { type: 'string', description: 'The whole raw text for the tool, unquoted and unfenced.' } },
      required: ['input'],
      additionalProperties: false,
    },
    strict: false,
  };
}

const HOW_TO_CALL =
  'How to call it here: pass one JSON argument, the string `input`. Where this description speaks of free-form text, ' +
  'that text is the value of `input`, with nothing around it.';

function grammarNote(format: unknown): string {
  if (!isObject(format)) return '';
  const grammar = isObject(format.grammar) ? format.grammar : format; // the chat wire nests it
  const definition = nonEmpty(grammar.definition);
  if (definition === undefined) return '';
  return `The text has to follow this ${stringOf(grammar.syntax) ?? ''} grammar:\n${definition}`;
}

/** Codex' old shell tool: a command as a list of words. */
export function localShellAsFunction(name: string): FunctionTool {
  return {
    type: 'function',
    name,
    description:
      'Runs a command on the user\'s machine and returns its output. Use ["bash", "-lc", "..."] for shell syntax.',
    parameters: {
      type: 'object',
      properties: {
        command: { type: 'array', items: { type: 'string' }, description: 'The program and its arguments.' },
        working_directory: { type: 'string', description: 'Where to run it.' },
        timeout_ms: { type: 'number', description: 'Milliseconds after which it is stopped.' },
        env: { type: 'object', additionalProperties: { type: 'string' }, description: 'Variables to set.' },
      },
      required: ['command'],
      additionalProperties: false,
    },
    strict: false,
  };
}

/** The shell of the Responses API: several command lines in one call. */
export function shellAsFunction(tool: JsonObject, name: string): FunctionTool {
  return {
    type: 'function',
    name,
    description: [SHELL, skillsNote(tool.environment)].filter(Boolean).join('\n\n'),
    parameters: {
      type: 'object',
      properties: {
        commands: {
          type: 'array',
          items: { type: 'string' },
          description: 'Command lines, each one whole and in shell syntax, such as "ls -la | head".',
        },
        timeout_ms: { type: 'integer', description: 'Milliseconds after which they are stopped.' },
        max_output_length: { type: 'integer', description: 'The most characters of output to return.' },
      },
      required: ['commands'],
      additionalProperties: false,
    },
    strict: false,
  };
}

const SHELL =
  "Runs shell commands on the user's machine and returns their output and exit codes. Commands that do not depend on " +
  'each other may be given in one call.';

function skillsNote(environment: unknown): string {
  const skills: unknown[] = isObject(environment) && Array.isArray(environment.skills) ? environment.skills : [];
  const lines = skills.flatMap((skill) => {
    const path = isObject(skill) ? nonEmpty(skill.path) : undefined;
    if (!isObject(skill) || path === undefined) return [];
    return [`- ${stringOf(skill.name) ?? path} (${path}): ${stringOf(skill.description) ?? ''}`];
  });
  if (lines.length === 0) return '';
  return `Skills, each a folder whose SKILL.md is to be read before it is used:\n${lines.join('\n')}`;
}

/** The file editor of the Responses API: one operation on one file in each call. */
export function applyPatchAsFunction(name: string): FunctionTool {
  return {
    type: 'function',
    name,
    description: APPLY_PATCH,
    parameters: {
      type: 'object',
      properties: {
        type: { type: 'string', enum: ['create_file', 'update_file', 'delete_file'] },
        path: { type: 'string', description: 'The file, relative to the working directory.' },
        diff: { type: 'string', description: 'What is to be changed; left out for delete_file.' },
      },
      required: ['type', 'path'],
      additionalProperties: false,
    },
    strict: false,
  };
}

const APPLY_PATCH = `Creates, updates or deletes one file of the user. Call it once for each file.

The diff has no file headers, no line numbers and nothing around it.
- create_file: the whole content, every line of it begins with "+".
- update_file: sections of changed lines. A section may begin with a line "@@ " and the class or function that it is in. Then come the lines: one that stays begins with a space, one that goes with "-", one that is new with "+". Give about three lines that stay before and after each change, exactly as they are in the file, so that its place is found.

For example, for update_file:
@@ def greet():
     name = "you"
-    print("Hi")
+    print("Hello " + name)
     return name`;

/** The search for deferred tools that the client itself runs. */
export function toolSearchAsFunction(tool: JsonObject, name: string): FunctionTool {
  const parameters = isObject(tool.parameters)
    ? tool.parameters
    : { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] };
  return { ...plainFunction(tool, name), parameters, strict: false };
}
