import type { ModelPort } from '@turnwire/agent/internal/model-port';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';

/** The model server that a command talks to. */
export interface OpenModel {
  readonly provider: ProviderConfig;
  /** One turn after the other, with retries. */
  readonly agentModel: ModelPort;
  /** Gives the sockets back, and stops the embedded server. */
  close(): Promise<void>;
}
