import { createHash } from 'node:crypto';
import type { ErrorKind } from '@turnwire/wire/internal/model/errors';
import { secretsOf } from '@turnwire/client/internal/provider/secrets';
import { createProvider, type ProviderConfig } from '@turnwire/client/internal/provider/provider';
import { createServerMemory } from '@turnwire/client/internal/http/server-memory';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { makerOf } from '@turnwire/wire/internal/quirks';
import type { Settings, UpstreamKey, UpstreamSettings } from '../options.ts';
import { KnownModels, type AskModels } from './known-models.ts';
import { Rest, type RestNews } from './rest.ts';
import type { Credentials } from './upstream.ts';

/** Stands for the key in provider configurations; the value is asked for at every request. */
export const KEY_NAME = 'UPSTREAM_KEY';
/** Models that a server was found to lack: callers name models, so their number is bounded. The oldest goes. */
const MAX_MODELS = 64;

/** A model server with what the pool keeps about it, whichever of its keys it is asked with. */
export class Server {
  /** The same for the same address, on every bridge. */
  readonly id: string;
  readonly label: string;
  readonly maker: string;
  readonly memory = createServerMemory();
  readonly rest: Rest;
  readonly failures = new Map<ErrorKind, number>();
  /** What it told of its models. */
  readonly models: KnownModels;
  /** Streams that are open on it. */
  open = 0;
  wire: ProtocolId | undefined;
  probing: Promise<ProtocolId> | undefined;
  readonly #upstream: UpstreamSettings;
  readonly #via: string;
  readonly #onRest: ServerOptions['onRest'];
  readonly #now: () => number;
  readonly #providers = new Map<ProtocolId, ProviderConfig>();
  /** Rests for models that it was found to lack. */
  readonly #lacked = new Map<string, Rest>();

  /**
   * @param label - no other server's
   * @param via - the mark of this bridge, on all that it sends
   * @param ask - asks a server about its models
   * @param onRest - told of its rests, for other workers
   */
  constructor(upstream: UpstreamSettings, { label, via, clock, ask, onRest }: Pick<Settings, 'clock'> & ServerOptions) {
    const { url, wire, models } = upstream;
    this.#upstream = upstream;
    this.#via = via;
    this.#onRest = onRest;
    this.#now = () => clock.now();
    this.label = label;
    this.maker = makerOf(url) ?? url;
    this.id = digest(url, 12);
    this.wire = wire === 'auto' ? undefined : wire;
    this.rest = this.newRest();
    this.models = new KnownModels({ clock, named: models }, ask(this));
  }

  get keys(): readonly UpstreamKey[] {
    return this.#upstream.keys;
  }

  /** What it is told in confidence: its keys, and other secret headers. */
  secrets(): readonly string[] {
    const provider = this.provider('responses');
    const keys = this.keys.length === 0 ? [() => undefined] : this.keys.map(({ key }) => key);
    return [...new Set(keys.flatMap((key) => secretsOf(provider, key)))];
  }

  /** By what it knows the bridge, with one of its keys. */
  credentialsWith(key: UpstreamKey | undefined): Credentials {
    const { apiKeySource, upstreamHeaders = {} } = this.#upstream;
    const source = key === undefined ? apiKeySource : key.source;
    return { hasKey: key !== undefined, source, hasHeaders: Object.keys(upstreamHeaders).length > 0 };
  }

  provider(wire: ProtocolId): ProviderConfig {
    const provider = this.#providers.get(wire) ?? providerOf(this.#upstream, wire, this.#via);
    this.#providers.set(wire, provider);
    return provider;
  }

  /** @param which - absent: that of the server as a whole */
  newRest(which: Pick<RestNews, 'upstream' | 'model'> = {}): Rest {
    return new Rest(this.#now, (standing) => this.#onRest?.({ server: this.id, ...which, ...standing }));
  }

  /** The rest that requests for a model are given, if it was found to lack that model. */
  restOf(model: string | undefined): Rest | undefined {
    return model === undefined ? undefined : this.#lacked.get(model);
  }

  /** It lacks a model: begins to keep a rest for it. */
  addRestOf(model: string): Rest {
    const [oldest] = this.#lacked.keys();
    if (this.#lacked.size >= MAX_MODELS && oldest !== undefined) this.#lacked.delete(oldest);
    const rest = this.newRest({ model });
    this.#lacked.set(model, rest);
    return rest;
  }
}

interface ServerOptions {
  readonly label: string;
  readonly via: string;
  readonly ask: (server: Server) => AskModels;
  readonly onRest?: ((news: RestNews) => void) | undefined;
}

/** A name that tells nothing of what it is made from. */
export function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

function providerOf(upstream: UpstreamSettings, wireApi: ProtocolId, via: string): ProviderConfig {
  return createProvider({
    name: 'upstream',
    baseUrl: upstream.url,
    wireApi,
    model: upstream.model,
    envKey: upstream.keys.length === 0 ? undefined : KEY_NAME,
    httpHeaders: { ...upstream.upstreamHeaders, via },
    queryParams: upstream.upstreamQuery,
    streamIdleTimeoutMs: upstream.idleTimeoutMs,
    usageGraceMs: upstream.usageGraceMs,
    connectTimeoutMs: upstream.connectTimeoutMs,
    toolCallsOnStop: upstream.toolCallsOnStop,
    onClose: upstream.onClose,
    thinkTags: upstream.thinkTags,
    systemAsUser: upstream.systemAsUser,
    contextWindow: upstream.contextWindow,
  });
}
