import type { AvailableCommand, ContentBlock } from '@agentclientprotocol/sdk';
import { withCommand, type PromptCommand } from '@turnwire/agent/internal/project/prompt-commands';
import { visible } from '@turnwire/wire/internal/base/printable';

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

/** What an editor is told of: the agent's own commands, and those that are prompts. */
export function availableCommands(prompts: readonly PromptCommand[]): AvailableCommand[] {
  const own = prompts.map(({ name, description, body }) => ({
    name,
    description: visible(description),
    ...(body.includes('$ARGUMENTS') ? { input: { hint: 'arguments' } } : {}),
  }));
  return [...commands, ...own];
}

/** A prompt as it goes to the model: where its first text is a command that is a prompt, with that text. */
export function withPrompt(
  blocks: readonly ContentBlock[],
  prompts: readonly PromptCommand[],
): readonly ContentBlock[] {
  const at = blocks.findIndex((block) => block.type === 'text' && block.text.trim() !== '');
  const first = blocks[at];
  if (first?.type !== 'text') return blocks;
  return blocks.with(at, { ...first, text: withCommand(first.text, prompts) });
}
