import { isObject, parseJson } from '../../base/json.ts';
import { ABORTED, fieldsAsJson, outputField, type BuiltInTool } from './client-tool.ts';
import { standIn } from './function.ts';

/** Codex' old shell tool: a command as a list of words. */
export const localShell: BuiltInTool = {
  kind: 'local_shell',
  callType: 'local_shell_call',
  outputType: 'local_shell_call_output',
  idPrefix: 'lsh_',
  asFunction: (_tool, name) => standIn(name, DESCRIPTION, PARAMETERS, ['command']),
  toCall: (args, head) => {
    const fields = parseJson(args);
    const command = isObject(fields) ? parseCommand(fields.command) : undefined;
    if (!isObject(fields) || command === undefined) return undefined;
    const action = {
      type: 'exec',
      command,
      ...(typeof fields.working_directory === 'string' ? { working_directory: fields.working_directory } : {}),
      ...(typeof fields.timeout_ms === 'number' ? { timeout_ms: fields.timeout_ms } : {}),
      env: isObject(fields.env) ? fields.env : {},
    };
    return { type: 'local_shell_call', ...head, action };
  },
  toArguments: (call) => fieldsAsJson(call.action, Object.keys(PARAMETERS)),
  outputText: outputField,
  aborted: (call_id) => ({ type: 'function_call_output', call_id, output: ABORTED }), // as Codex itself answers them
  chatName: 'local_shell',
  chatArguments: (call) => JSON.stringify(call.action ?? {}),
  pairsById: true,
};

const DESCRIPTION =
  'Runs a command on the user\'s machine and returns its output. Use ["bash", "-lc", "..."] for shell syntax.';

const PARAMETERS = {
  command: { type: 'array', items: { type: 'string' }, description: 'The program and its arguments.' },
  working_directory: { type: 'string', description: 'Where to run it.' },
  timeout_ms: { type: 'number', description: 'Milliseconds after which it is stopped.' },
  env: { type: 'object', additionalProperties: { type: 'string' }, description: 'Variables to set.' },
};

/** Models write a command line where a list of words was asked for. */
function parseCommand(value: unknown): string[] | undefined {
  if (typeof value === 'string') return ['bash', '-lc', value];
  return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : undefined;
}
