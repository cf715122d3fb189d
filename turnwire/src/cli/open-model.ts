import type { ModelServer } from '@turnwire/agent';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { ModelObserver } from '@turnwire/client/internal/observer';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import { missingKeyVariable, type GetEnv } from '@turnwire/client/internal/provider/provider-request';
import type { Configuration } from './configuration.ts';
import { connect } from './connect.ts';
import type { CliContext } from './context.ts';
import { UsageError } from './exit.ts';
import type { OpenModel } from './model.ts';
import { chooseProvider } from './provider.ts';
import type { ProviderFlags } from './provider-flags.ts';
import { describeSkipped } from './skipped-text.ts';

export interface OpenOptions {
  readonly cli: CliContext;
  readonly configuration: Configuration;
  /** How messages on stderr begin, e.g. `turnwire exec`. */
  readonly name: string;
  /** From `--api-key-stdin`. */
  readonly apiKey: string | undefined;
  /** The server of the conversation that is gone on with: it is the one where flags name none. Default: none. */
  readonly remembered?: ModelServer | undefined;
  /**
   * Where stderr belongs to the command alone: told in one line each when WebSocket is given up, and when events of an
   * answer were passed over. Default false.
   */
  readonly warns?: boolean;
}

/** Where a key that came through stdin is looked up: it never enters the environment. */
const STDIN_KEY = '--api-key-stdin';

/** The key of a provider is not there: what a person can mend without another command line. */
export class MissingKeyError extends UsageError {}

/**
 * Opens the server that flags and files name, or the embedded scripted one, which says on stderr that it is.
 *
 * @throws UsageError when they name none that can be used
 */
export async function openModel(flags: ProviderFlags, options: OpenOptions): Promise<OpenModel> {
  const { cli, name, apiKey, warns } = options;
  const { provider, notes } = await chooseProvider(flags, options.configuration, options.remembered);
  for (const note of notes) cli.stderr.write(`${name}: note: ${visible(note)}\n`);
  if (provider !== undefined) {
    if (apiKey === undefined) checkKey(provider, cli);
    const model = connect(
      apiKey === undefined ? provider : { ...provider, envKey: STDIN_KEY },
      keyReader(cli, apiKey),
      cli.env,
      warns === true ? watchOf(options) : undefined,
    );
    return { ...model, notes };
  }
  const { openScripted } = await import('./scripted.ts');
  const warning = `no provider was named, so the answers are scripted, without key or network. ${pointer(name)}`;
  cli.stderr.write(`${name}: ${warning}\n`);
  return { ...(await openScripted(flags)), warning };
}

/** Tells on stderr what nobody would see in the answer. */
function watchOf({ cli, name }: OpenOptions): Pick<ModelObserver, 'onFallback' | 'onSkipped'> {
  const say = (text: string): void => void cli.stderr.write(`${name}: ${text}\n`);
  return {
    onFallback: (error) => say(`HTTP instead of WebSocket from now on: ${error.message}`),
    onSkipped: (events) => say(describeSkipped(events)),
  };
}

function checkKey(provider: ProviderConfig, cli: CliContext): void {
  const missing = missingKeyVariable(provider, (variable) => cli.env[variable]);
  if (missing === undefined) return;
  throw new MissingKeyError(
    `the environment variable ${missing} is not set: provider ${JSON.stringify(provider.name)} takes its key from it`,
  );
}

function keyReader(cli: CliContext, apiKey: string | undefined): GetEnv {
  return (variable) => (variable === STDIN_KEY ? apiKey : cli.env[variable]);
}

function pointer(name: string): string {
  return `A real server: ${name} --base-url http://127.0.0.1:8080/v1 --wire chat --model NAME, or ~/.config/turnwire/config.toml (docs/cli.md)`;
}
