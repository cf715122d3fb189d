import type { ModelPort } from '@turnwire/agent/internal/model-port';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';

/** What an agent is told of its model's window, where the provider knows it. */
export function windowOf({ contextWindow }: ProviderConfig): Pick<ProviderConfig, 'contextWindow'> {
  return contextWindow === undefined ? {} : { contextWindow };
}

/** The model server that a command talks to. */
export interface OpenModel {
  readonly provider: ProviderConfig;
  /** One turn after the other, with retries. */
  readonly agentModel: ModelPort;
  /** Gives the sockets back, and stops the embedded server. */
  close(): Promise<void>;
}
