import type { AvailableCommand, ContentBlock } from '@agentclientprotocol/sdk';

/** What a person may type in place of a message. */
export const commands = [
  { name: 'compact', description: 'Summarise the conversation to make room' },
  { name: 'undo', description: 'Take the last patch of the agent back' },
] as const satisfies readonly AvailableCommand[];

export type CommandName = (typeof commands)[number]['name'];

/** The command that a prompt is; a prompt that begins with a slash and names none goes to the model as it is. */
export function findCommand(blocks: readonly ContentBlock[]): CommandName | undefined {
  const [first, ...rest] = blocks.filter((block) => block.type !== 'text' || block.text.trim() !== '');
  if (first?.type !== 'text' || rest.length > 0) return undefined;
  const [, name] = /^\/(\S+)\s*$/.exec(first.text.trim()) ?? [];
  return commands.find((command) => command.name === name)?.name;
}
