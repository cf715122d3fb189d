import type { ModelPort } from '../agent/model-port.ts';
import type { ProviderConfig } from '../client/provider/provider.ts';

/** The model server that a command talks to. */
export interface OpenModel {
  readonly provider: ProviderConfig;
  /** One turn after the other, with retries. */
  readonly agentModel: ModelPort;
  /** Gives the sockets back, and stops the embedded server. */
  close(): Promise<void>;
}
