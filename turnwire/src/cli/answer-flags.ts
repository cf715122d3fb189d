import type { Command } from 'commander';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import { flag, numberFlag } from './flags.ts';

/** How the answers of a server are read: what its wire does not tell. */
export interface AnswerFlags {
  readonly thinkTags?: boolean;
  readonly thinkTagsOpened?: boolean;
  readonly contextWindow?: number;
}

/** The flags of every command that reads a server's answers. */
export function addAnswerFlags(command: Command): Command {
  return command
    .addOption(
      flag('--think-tags', 'the text between <think> and </think> at the beginning is reasoning', 'it is text'),
    )
    .addOption(flag('--think-tags-opened', 'the same, where the prompt of the model ends in <think>', 'it is text'))
    .addOption(numberFlag('--context-window <tokens>', "size of the model's context window", 1, 'unknown'));
}

/** What the flags say; a member that none of them names is not there. */
export function answerOptionsOf(flags: AnswerFlags): Partial<Pick<ProviderConfig, 'thinkTags' | 'contextWindow'>> {
  const { thinkTags, thinkTagsOpened, contextWindow } = flags;
  return {
    ...(thinkTagsOpened === true ? { thinkTags: 'opened' } : thinkTags === true ? { thinkTags } : {}),
    ...(contextWindow === undefined ? {} : { contextWindow }),
  };
}
