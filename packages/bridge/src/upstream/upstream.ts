import type { ServerMemory } from '@turnwire/client/internal/http/server-memory';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import type { GetEnv } from '@turnwire/client/internal/provider/provider-request';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { KnownModels } from './known-models.ts';

/** One model server behind the bridge, with one of its keys. */
export interface Upstream {
  /** Names it in a turn state: the same for the same address and key, on every bridge. */
  readonly key: string;
  /** Names it to people: its address without its query, which may hold a key; with a number where several have the same. */
  readonly label: string;
  /** Whose server it is: a name that several hosts share, or its address. Of several keys each may be another organisation's. */
  readonly maker: string;
  readonly memory: ServerMemory;
  /** What it told of its models. */
  readonly models: KnownModels;
  provider(wire: ProtocolId): ProviderConfig;
  /** Reads the key under the one name that providers here have. */
  readonly getEnv: GetEnv;
  /** What it is told in confidence: its keys, and other secret headers. */
  secrets(): readonly string[];
  readonly credentials: Credentials;
}

/** By what a server knows the bridge. */
export interface Credentials {
  /** There is a key. */
  readonly hasKey: boolean;
  /** Where it comes from, e.g. `--env-key OPENAI_API_KEY`. */
  readonly source: string | undefined;
  /** Headers of the configuration are sent. */
  readonly hasHeaders: boolean;
}
