import type { ModelServer } from '@turnwire/agent';
import type { ModelPort } from '@turnwire/agent/internal/model-port';
import type { ListedModel } from './servers/ask-models.ts';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';

/** What an agent is told of its model's window, where the provider knows it. */
export function windowOf({ contextWindow }: ProviderConfig): Pick<ProviderConfig, 'contextWindow'> {
  return contextWindow === undefined ? {} : { contextWindow };
}

/** The model server that a command talks to. */
export interface OpenModel {
  readonly provider: ProviderConfig;
  /** Where it is, for a thread to remember. */
  readonly server: ModelServer;
  /** One turn after the other, with retries; the same one at each call. The first call reads what speaks to the server. */
  agentModel(): Promise<ModelPort>;
  /** What its server lists, within some seconds; none where it has no list. Fails with `ModelError`. */
  models(): Promise<readonly ListedModel[]>;
  /** What the person should know of how it was found, one line each; stderr has it already. Default: nothing. */
  readonly notes?: readonly string[];
  /** What has to be said where it answers: that no model does. */
  readonly warning?: string;
  /** Gives the sockets back, and stops the embedded server. */
  close(): Promise<void>;
}
