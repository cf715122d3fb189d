import type { ProviderConfig } from '../client/provider.ts';
import type { ModelEvent } from '../model/events.ts';
import type { ModelRequest } from '../model/request.ts';
import type { CliContext } from './context.ts';
import { chooseProvider } from './provider.ts';
import type { ProviderFlags } from './provider-flags.ts';

/** A model server that a command talks to. */
export interface OpenModel {
  readonly provider: ProviderConfig;
  /** True for the one inside this process. */
  readonly scripted: boolean;
  stream(request: ModelRequest, options: { readonly signal: AbortSignal }): AsyncIterable<ModelEvent>;
  /** Gives sockets back, and stops the embedded server. */
  close(): Promise<void>;
}
