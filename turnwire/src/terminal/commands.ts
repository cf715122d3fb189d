import { promptOf, type PromptCommand } from '@turnwire/agent/internal/project/prompt-commands';
import { visible } from '@turnwire/wire/internal/base/printable';
import { factsText } from './status-text.ts';
import type { Fact } from './view-state.ts';

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
  { name: 'undo', description: 'take the last patch back, if its files are as it left them' },
  {
    name: 'output',
    argument: 'N',
    description: 'all that a tool printed, in the pager: the latest, or the Nth',
  },
  { name: 'answer', description: 'the latest answer as the model wrote it, in the pager' },
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
  const commands = slashCommands.map(({ name, argument, description: text }) => ({
    label: `  /${name}${argument === undefined ? '' : ` ${argument}`}`,
    text,
  }));
  const theirs = own.map(({ name, description }) => ({ label: `  /${name}`, text: visible(description) }));
  return [
    ['Commands', factsText(commands)],
    ...(own.length === 0 ? [] : [["Your own and the project's commands", factsText(theirs)]]),
    ['Keys', factsText(keys)],
  ]
    .flat()
    .join('\n');
}

const keys: readonly Fact[] = [
  { label: '  Enter', text: 'sends; queues while the agent works (Up: the last back)' },
  { label: '  Ctrl-J, Shift-Enter', text: 'a new line, as \\ Enter' },
  { label: '  Up, Down', text: 'earlier messages' },
  { label: '  @', text: 'names a file' },
  { label: '  !COMMAND', text: 'runs it; the model is told with your next message' },
  { label: '  Ctrl-V', text: 'an image out of the clipboard; its path does it, too' },
  { label: '  Ctrl-T', text: "the latest tool's whole output, in the pager ($PAGER)" },
  { label: '  Ctrl-O', text: 'folds or unfolds reasoning and output' },
  { label: '  Esc', text: 'interrupts; what was said is kept' },
  { label: '  Ctrl-C', text: 'interrupts, clears the line; twice: leaves' },
  { label: '  Ctrl-D', text: 'leaves' },
];
