import { Option, type Command } from 'commander';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { addAnswerFlags, type AnswerFlags } from './answer-flags.ts';
import { flag } from './flags.ts';
import { protocolIds } from '@turnwire/wire/internal/protocols';

/** Which model server a command talks to, as given on the command line. */
export interface ProviderFlags extends AnswerFlags {
  readonly provider?: string;
  readonly codexConfig?: boolean;
  readonly codexProfile?: string;
  readonly baseUrl?: string;
  readonly wire?: ProtocolId;
  readonly model?: string;
  readonly envKey?: string;
  readonly apiKeyStdin?: boolean;
  readonly trustProject?: boolean;
}

/** The flags that every command with a model server has. */
export function addProviderFlags(command: Command): Command {
  const withServer = command
    .addOption(flag('--provider <name>', 'use [model_providers.NAME] of turnwire.toml', 'its model_provider'))
    .addOption(flag('--codex-config', 'read ~/.codex/config.toml instead of turnwire.toml', 'off'))
    .addOption(codexProfileFlag())
    .addOption(
      flag('--base-url <url>', 'talk to this server, without a configuration file', 'the embedded scripted one'),
    )
    .addOption(new Option('--wire <wire>', 'protocol of --base-url (default: none)').choices(protocolIds))
    .addOption(flag('--model <name>', 'the model to ask', "the provider's"))
    .addOption(flag('--env-key <variable>', 'environment variable with the key of --base-url', 'no key'))
    .addOption(flag('--api-key-stdin', 'the first line of stdin is the key', 'off'))
    .addOption(trustProjectFlag());
  return addAnswerFlags(withServer);
}

/** Every command that reads Codex' configuration has it. */
export function codexProfileFlag(): Option {
  return flag('--codex-profile <name>', 'with --codex-config: this profile of it', 'the one that the file chooses');
}

/** Every command that reads a `turnwire.toml` of the working directory has it. */
export function trustProjectFlag(): Option {
  return flag(
    '--trust-project',
    'use the turnwire.toml of this folder, this once and unasked',
    'it is asked about; without a terminal it is ignored',
  );
}
