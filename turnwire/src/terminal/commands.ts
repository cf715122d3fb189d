import { promptOf, type PromptCommand } from '@turnwire/agent/internal/project/prompt-commands';
import { visible } from '@turnwire/wire/internal/base/printable';

/** The commands of the chat: `/help` and the like. */
export interface SlashCommand {
  readonly name: string;
  readonly argument?: string;
  readonly description: string;
}

export const slashCommands: readonly SlashCommand[] = [
  { name: 'help', description: 'commands and keys' },
  { name: 'model', argument: 'NAME', description: 'the model to ask from now on' },
  { name: 'provider', argument: 'NAME', description: 'another model server of the configuration' },
  { name: 'new', description: 'a new conversation' },
  { name: 'resume', argument: 'ID', description: 'go on with an earlier conversation' },
  { name: 'fork', description: 'go on in a copy of this conversation' },
  { name: 'undo', description: 'take the last patch back, as long as its files are as it left them' },
  {
    name: 'output',
    argument: 'N',
    description: 'what a tool printed, whole, in the pager: the latest, or the Nth before',
  },
  { name: 'answer', description: 'the latest answer as the model wrote it, in the pager, to copy from' },
  { name: 'compact', description: 'summarise the conversation to make room' },
  { name: 'cost', description: 'tokens used so far' },
  { name: 'status', description: 'folder, model, sandbox, and how full the context is' },
  { name: 'exit', description: 'leave' },
];

export type Submitted =
  | { readonly type: 'nothing' }
  | { readonly type: 'message'; readonly text: string }
  | { readonly type: 'command'; readonly name: string; readonly argument: string }
  /** A command line for the shell: `!ls`. */
  | { readonly type: 'shell'; readonly command: string }
  /** A line that begins like a command, and is none. */
  | { readonly type: 'unknown'; readonly name: string };

/** Lines that tell the scripted model what to say go to it like any message. */
const SCRIPT = /^\/(?:say|think|call)\s/;

/** Names that a command of the person's own cannot have. */
export const reservedNames: ReadonlySet<string> = new Set([
  ...slashCommands.map(({ name }) => name),
  'say',
  'think',
  'call',
]);

/** What a person meant; a command of their own is the message that it stands for. A message may begin with a slash when a space stands before it or more slashes follow. */
export function parseSubmitted(raw: string, own: readonly PromptCommand[]): Submitted {
  const text = textOf(raw);
  if (text === '') return { type: 'nothing' };
  if (raw.startsWith('!') && text !== '!') return { type: 'shell', command: text.slice(1).trim() };
  const match = /^\/([a-z][a-z0-9_-]*)(?:\s+(.*))?$/s.exec(text);
  if (match === null || raw.startsWith(' ') || SCRIPT.test(text)) return { type: 'message', text };
  const [, name = '', argument = ''] = match;
  if (slashCommands.some((command) => command.name === name))
    return { type: 'command', name, argument: argument.trim() };
  const prompt = own.find((command) => command.name === name);
  return prompt === undefined
    ? { type: 'unknown', name }
    : { type: 'message', text: promptOf(prompt, argument.trim()) };
}

/** Without blank lines around it; of several lines, the first keeps its indentation. */
function textOf(raw: string): string {
  const text = raw.replace(/^(?:[ \t]*\n)+/, '').trimEnd();
  return text.includes('\n') ? text : text.trimStart();
}

/** What `/help` says. */
export function helpText(own: readonly PromptCommand[]): string {
  return [
    'Commands:',
    ...slashCommands.map(
      ({ name, argument, description }) => `  /${name}${argument === undefined ? '' : ` ${argument}`}: ${description}`,
    ),
    ...(own.length === 0 ? [] : ["Your own and the project's commands:"]),
    ...own.map(({ name, description }) => `  /${name}: ${visible(description)}`),
    ...keyLines,
  ].join('\n');
}

const keyLines = [
  'Keys:',
  '  Enter sends; while the agent works it queues (Up brings the last one back)',
  '  Ctrl-J, Shift-Enter or \\ Enter: a new line; Up and Down: earlier messages; @: files',
  '  !COMMAND runs a command yourself; the model is told of it with your next message',
  '  Ctrl-V: the image in the clipboard; a path to an image in a message takes the image along',
  '  Ctrl-T: the whole output of the latest tool in the pager ($PAGER)',
  '  Esc: interrupt, what was said is kept; Ctrl-O: fold or unfold reasoning and output',
  '  Ctrl-C: interrupt, clear the line, twice: leave; Ctrl-D: leave',
];
