import { isObject, stringOf, type JsonObject } from '../base/json.ts';
import type { Item } from '../model/items.ts';

/** The call of a built-in tool of the Responses API that the client runs, as a call of a function of that name. */
export interface BuiltInCall {
  readonly name: 'shell' | 'apply_patch';
  readonly arguments: string;
}

/** The same call for servers that only know functions; undefined for any other item. */
export function builtInCallOf(item: Item): BuiltInCall | undefined {
  const fields = item as JsonObject;
  if (fields.type === 'shell_call') return { name: 'shell', arguments: JSON.stringify(shellArguments(fields.action)) };
  if (fields.type !== 'apply_patch_call') return undefined;
  return { name: 'apply_patch', arguments: JSON.stringify(isObject(fields.operation) ? fields.operation : {}) };
}

/** What a call gave, as servers with functions read it: text, or parts of content. */
export function callOutputOf(item: Item): unknown {
  const fields = item as JsonObject;
  if (fields.type === 'shell_call_output') return shellOutput(fields.output);
  if (fields.type === 'apply_patch_call_output') return patchOutput(fields);
  return fields.output;
}

function shellArguments(action: unknown): JsonObject {
  if (!isObject(action)) return {};
  const told = ['commands', 'timeout_ms', 'max_output_length'].filter((name) => (action[name] ?? null) !== null);
  return Object.fromEntries(told.map((name) => [name, action[name]]));
}

/** Calls that could not be read run nothing, and this is where the model hears of it. */
const NO_OUTPUT = 'No output. If nothing was run: `commands` has to be a list of shell commands.';

function shellOutput(output: unknown): unknown {
  if (!Array.isArray(output)) return output;
  if (output.length === 0) return NO_OUTPUT;
  return output.map((one, index) => commandOutput(one, output.length > 1 ? index + 1 : 0)).join('\n');
}

function commandOutput(one: unknown, number: number): string {
  const fields = isObject(one) ? one : {};
  const stderr = stringOf(fields.stderr) ?? '';
  const pieces = [
    number > 0 ? `[command ${number}]` : '',
    stringOf(fields.stdout) ?? '',
    stderr === '' ? '' : `[stderr]\n${stderr}`,
  ];
  const text = pieces.filter((piece) => piece !== '').map((piece) => (piece.endsWith('\n') ? piece : `${piece}\n`));
  return `${text.join('')}[${outcomeOf(fields.outcome)}]`;
}

function outcomeOf(outcome: unknown): string {
  if (!isObject(outcome)) return 'exit code unknown';
  if (outcome.type === 'timeout') return 'timed out';
  return typeof outcome.exit_code === 'number' ? `exit code ${outcome.exit_code}` : 'exit code unknown';
}

function patchOutput({ status, output }: JsonObject): string {
  const text = stringOf(output) ?? '';
  if (status === 'failed') return text === '' ? 'Failed.' : `Failed: ${text}`;
  return text === '' ? 'Done.' : text;
}
