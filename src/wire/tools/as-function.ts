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

/** The search for deferred tools that the client itself runs. */
export function toolSearchAsFunction(tool: JsonObject, name: string): FunctionTool {
  const parameters = isObject(tool.parameters)
    ? tool.parameters
    : { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] };
  return { ...plainFunction(tool, name), parameters, strict: false };
}
