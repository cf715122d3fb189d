import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import type { Output } from './output.ts';

/** What a command is given: the process, its stdout, and where to leave its exit code. */
export interface CommandScope {
  readonly cli: CliContext;
  readonly out: Output;
  /** Where an action leaves its exit code. */
  readonly done: (code: number) => void;
}

/** Makes one command with its flags and its action. */
export type CreateCommand = (scope: CommandScope) => Command;
