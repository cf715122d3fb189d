import { isObject, nonEmpty, parseJson, stringOf, type JsonObject } from '../../base/json.ts';
import { ABORTED, fieldsAsJson, type BuiltInTool } from './client-tool.ts';
import { standIn } from './function.ts';

/** The shell of the Responses API: several command lines in one call. */
export const shell: BuiltInTool = {
  kind: 'shell',
  callType: 'shell_call',
  outputType: 'shell_call_output',
  idPrefix: 'sh_',
  runsAtClient: ({ environment }) => !isObject(environment) || environment.type === 'local', // else in a container of the server
  asFunction: (tool, name) => {
    const description = [DESCRIPTION, skillsNote(tool.environment)].filter(Boolean).join('\n\n');
    return standIn(name, description, PARAMETERS, ['commands']);
  },
  toCall: (args, head) => ({ type: 'shell_call', ...head, action: parseAction(args), environment: { type: 'local' } }),
  toArguments: (call) => fieldsAsJson(call.action, Object.keys(PARAMETERS)),
  outputText: ({ output }) => {
    if (!Array.isArray(output)) return output;
    if (output.length === 0) return NO_OUTPUT;
    return output.map((one, index) => commandOutput(one, output.length > 1 ? index + 1 : 0)).join('\n');
  },
  aborted: (call_id) => {
    const output = [{ stdout: '', stderr: ABORTED, outcome: { type: 'exit', exit_code: 1 } }];
    return { type: 'shell_call_output', call_id, output };
  },
  chatName: 'shell',
};

const DESCRIPTION =
  "Runs shell commands on the user's machine and returns their output and exit codes. Commands that do not depend on " +
  'each other may be given in one call.';

const PARAMETERS = {
  commands: {
    type: 'array',
    items: { type: 'string' },
    description: 'Command lines, each one whole and in shell syntax, such as "ls -la | head".',
  },
  timeout_ms: { type: 'integer', description: 'Milliseconds after which they are stopped.' },
  max_output_length: { type: 'integer', description: 'The most characters of output to return.' },
};

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

/**
 * The `action` that a model wants to be run. Of arguments that name no command comes an empty list: clients run nothing then, and
 * go on, where a call of another kind would end many a run. Text that is no JSON is never run: half of a command, or
 * one with its quotes undone, may do anything.
 */
function parseAction(args: string): JsonObject {
  const value = parseJson(args);
  const fields = isObject(value) ? value : { commands: value };
  return {
    commands: parseCommands(fields.commands) ?? parseLine(fields.command) ?? parseLine(fields.cmd) ?? [],
    timeout_ms: parseCount(fields.timeout_ms),
    max_output_length: parseCount(fields.max_output_length),
  };
}

function parseCommands(value: unknown): readonly string[] | undefined {
  const line = parseLine(value);
  if (line !== undefined || !Array.isArray(value)) return line;
  return value.every((command) => typeof command === 'string') ? value : undefined;
}

/** One command line: as text, or as a shell with its arguments, which other tools of this kind want. */
function parseLine(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return value === '' ? undefined : [value];
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [program, flag, line] = value as readonly unknown[];
  const isShell = /^(?:\/bin\/)?(?:ba|z)?sh$/.test(String(program)) && /^-l?c$/.test(String(flag));
  return isShell && typeof line === 'string' ? [line] : undefined;
}

function parseCount(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? Math.round(value) : null;
}

/** Calls that could not be read run nothing, and this is where the model hears of it. */
const NO_OUTPUT = 'No output. If nothing was run: `commands` has to be a list of shell commands.';

function commandOutput(one: unknown, number: number): string {
  const fields = isObject(one) ? one : {};
  const stderr = stringOf(fields.stderr) ?? '';
  const pieces = [
    number > 0 ? `[command ${number}]` : '',
    stringOf(fields.stdout) ?? '',
    stderr === '' ? '' : `[stderr]\n${stderr}`,
  ];
  const text = pieces.filter((piece) => piece !== '').map((piece) => (piece.endsWith('\n') ? piece : `${piece}\n`));
  return `${text.join('')}[${toOutcomeText(fields.outcome)}]`;
}

function toOutcomeText(outcome: unknown): string {
  if (!isObject(outcome)) return 'exit code unknown';
  if (outcome.type === 'timeout') return 'timed out';
  return typeof outcome.exit_code === 'number' ? `exit code ${outcome.exit_code}` : 'exit code unknown';
}
