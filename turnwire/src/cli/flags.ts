import { Command, InvalidArgumentError, Option } from 'commander';

/** A command that reports wrong usage by throwing, and writes help where we say. */
export function createCommand(name: string, summary: string, example: string): Command {
  return new Command(name)
    .description(summary)
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', `\nExample:\n  ${example.split('\n').join('\n  ')}`)
    .exitOverride()
    .configureHelp({ helpWidth: 110 })
    .configureOutput({ outputError: () => undefined });
}

/** A flag whose default is not a value to hand on: the help says in words what happens without it. */
export function flag(flags: string, description: string, withoutIt: string): Option {
  return new Option(flags, `${description} (default: ${withoutIt})`);
}

/** A flag that takes a whole number of at least `least`. */
export function numberFlag(flags: string, description: string, least: number, value: number | string): Option {
  const option =
    typeof value === 'number' ? new Option(flags, description).default(value) : flag(flags, description, value);
  return option.argParser((text: string) => {
    const number = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(number) || number < least) {
      throw new InvalidArgumentError(`A whole number of at least ${least} is wanted.`);
    }
    return number;
  });
}

/** A flag that may be given several times; its values are collected in order. */
export class ListFlag extends Option {
  constructor(flags: string, description: string, withoutIt = 'none') {
    super(flags, `${description} (default: ${withoutIt})`);
    this.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
  }
}

/** A {@link ListFlag}. */
export function listFlag(flags: string, description: string, withoutIt?: string): Option {
  return new ListFlag(flags, description, withoutIt);
}
