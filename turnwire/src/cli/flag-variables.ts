import { InvalidArgumentError, type Command, type Option } from 'commander';
import type { CliContext } from './context.ts';
import { UsageError } from './exit.ts';
import { ListFlag } from './flags.ts';

/** Before the names of all variables that stand for flags. */
const PREFIX = 'TURNWIRE_';

/**
 * What Kubernetes sets for a service that is called `turnwire`: `TURNWIRE_PORT=tcp://10.0.0.1:18080` and others, in every
 * container of its namespace (kubernetes.io/docs/concepts/services-networking/service, "Environment variables").
 */
const SERVICE_LINK = { name: /_SERVICE_(?:HOST|PORT)|_PORT_\d/, value: /^(?:tcp|udp|sctp):\/\// };

/**
 * Lets a command take its flags from variables too, as containers want it: `TURNWIRE_DRAIN_TIMEOUT` is `--drain-timeout`. What
 * is on the command line goes before; an empty variable says nothing; a list is separated by spaces; a flag without a value takes
 * `true` or `false`.
 */
export function takeFlagsFromVariables(command: Command, cli: CliContext): void {
  command.addHelpText('after', `\nEach flag is also a variable: ${PREFIX}DRAIN_TIMEOUT=5000 is --drain-timeout 5000.`);
  command.hook('preAction', () => {
    for (const option of command.options) takeFrom(cli.env[variableOf(option)] ?? '', option, command);
    for (const name of unknownVariables(command, cli.env)) {
      cli.stderr.write(`${command.name()}: note: the variable ${name} is set, and stands for no flag\n`);
    }
  });
}

/** `--no-websocket` is `TURNWIRE_NO_WEBSOCKET`. */
export function variableOf(option: Option): string {
  return PREFIX + (option.long ?? '').slice(2).replaceAll('-', '_').toUpperCase();
}

function takeFrom(text: string, option: Option, command: Command): void {
  const name = option.attributeName();
  if (text.trim() === '' || SERVICE_LINK.value.test(text) || command.getOptionValueSource(name) === 'cli') return;
  const value = valueOf(text.trim(), option);
  if (value !== undefined) command.setOptionValueWithSource(name, value, 'env');
}

/** Undefined: what holds without the flag. */
function valueOf(text: string, option: Option): unknown {
  if (option.isBoolean()) return switchOf(text, option);
  if (option instanceof ListFlag) return text.split(/\s+/);
  try {
    return option.parseArg?.<unknown>(text, undefined) ?? text;
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw wrongValue(option, error.message);
    throw error;
  }
}

function switchOf(text: string, option: Option): boolean | undefined {
  if (text !== 'true' && text !== 'false') throw wrongValue(option, 'It is true or false.');
  return text === 'true' ? !option.negate : undefined;
}

function wrongValue(option: Option, why: string): UsageError {
  return new UsageError(`the variable ${variableOf(option)} (for ${option.long ?? ''}) is invalid. ${why}`);
}

/** Most likely misspelled; but those that a flag names as the place of a secret are known. */
function unknownVariables(command: Command, env: CliContext['env']): string[] {
  const known = new Set(command.options.map(variableOf));
  const given = JSON.stringify(command.opts());
  return Object.keys(env).filter(
    (name) =>
      name.startsWith(PREFIX) && !known.has(name) && !given.includes(`"${name}"`) && !SERVICE_LINK.name.test(name),
  );
}
