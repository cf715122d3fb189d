import { createHash } from 'node:crypto';
import type { ErrorKind } from '@turnwire/wire/internal/model/errors';
import { redactTarget } from '@turnwire/client/internal/platform/secret-text';
import { createProvider, type ProviderConfig } from '@turnwire/client/internal/provider/provider';
import { HealMemory } from '@turnwire/client/internal/http/heal-memory';
import type { ServerMemory } from '@turnwire/client/internal/http/healed-request';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { makerOf } from '@turnwire/wire/internal/quirks';
import type { RestState } from '../observe/upstream-status.ts';
import type { Settings, UpstreamSettings } from '../options.ts';
import type { Listing } from './catalogue.ts';
import { KnownModels, type AskModels } from './known-models.ts';
import { Rest } from './rest.ts';

/** Stands for the key in provider configurations; the value is asked for at every request. */
export const KEY_NAME = 'UPSTREAM_KEY';
/** Models that a server was found to lack: callers name models, so their number is bounded. The oldest goes. */
const MAX_MODELS = 64;

/** One model server behind the bridge. */
export interface Upstream extends Listing {
  /** Names it in a turn state: the same for the same address, on every bridge. */
  readonly key: string;
  /** Names it to people: its address without its query, which may hold a key; with a number where several have the same. */
  readonly label: string;
  /** Whose server it is: a name that several hosts share, or its address. */
  readonly maker: string;
  readonly memory: ServerMemory;
  provider(wire: ProtocolId): ProviderConfig;
}

/** A server with what the pool keeps about it. */
export class Member implements Upstream {
  readonly key: string;
  readonly label: string;
  readonly maker: string;
  readonly memory: ServerMemory = { heals: new HealMemory() };
  readonly rest: Rest;
  readonly failures = new Map<ErrorKind, number>();
  /** What it told of its models. */
  readonly models: KnownModels;
  /** Streams that are open on it. */
  open = 0;
  wire: ProtocolId | undefined;
  probing: Promise<ProtocolId> | undefined;
  readonly #baseUrl: string;
  readonly #settings: Settings;
  readonly #via: string;
  readonly #providers = new Map<ProtocolId, ProviderConfig>();
  /** Rests for models that it was found to lack. */
  readonly #lacked = new Map<string, Rest>();

  /**
   * @param label - no other server's
   * @param via - the mark of this bridge, on all that it sends
   * @param ask - asks a server about its models
   */
  constructor(
    { url, models }: UpstreamSettings,
    label: string,
    settings: Settings,
    via: string,
    ask: (member: Member) => AskModels,
  ) {
    this.#baseUrl = url;
    this.label = label;
    this.maker = makerOf(url) ?? url;
    this.#settings = settings;
    this.#via = via;
    this.key = createHash('sha256').update(url).digest('hex').slice(0, 12);
    this.wire = settings.wire === 'auto' ? undefined : settings.wire;
    this.rest = new Rest(() => settings.clock.now());
    this.models = new KnownModels({ clock: settings.clock, named: models }, ask(this));
  }

  provider(wire: ProtocolId): ProviderConfig {
    const provider = this.#providers.get(wire) ?? providerOf(this.#baseUrl, wire, this.#settings, this.#via);
    this.#providers.set(wire, provider);
    return provider;
  }

  /** The rest that requests for a model are given, if it was found to lack that model. */
  restOf(model: string | undefined): Rest | undefined {
    return model === undefined ? undefined : this.#lacked.get(model);
  }

  /** It lacks a model: begins to keep a rest for it. */
  addRestOf(model: string): Rest {
    const [oldest] = this.#lacked.keys();
    if (this.#lacked.size >= MAX_MODELS && oldest !== undefined) this.#lacked.delete(oldest);
    const rest = new Rest(() => this.#settings.clock.now());
    this.#lacked.set(model, rest);
    return rest;
  }

  /** It may be asked for this model: nothing rests, or only a probe is due. */
  takes(model: string | undefined): boolean {
    return this.#states(model).every((state) => state === 'ready' || state === 'due');
  }

  /** Nothing speaks against it: it is as good as any other for this model. */
  isReady(model: string | undefined): boolean {
    return this.#states(model).every((state) => state === 'ready');
  }

  #states(model: string | undefined): readonly RestState[] {
    return [this.rest.state, this.restOf(model)?.state ?? 'ready'];
  }

  /** When its rests are over for this model. */
  dueAt(model: string | undefined): number {
    return Math.max(this.rest.until, this.restOf(model)?.until ?? 0);
  }
}

/** An address as it may be logged and shown. */
export function labelOf(baseUrl: string): string {
  const url = new URL(baseUrl);
  return redactTarget(url.origin + url.pathname.replace(/\/$/, ''));
}

/** The labels of several addresses, no two of them the same: those that differ in their query alone are numbered. */
export function labelsOf(baseUrls: readonly string[]): string[] {
  const labels = baseUrls.map(labelOf);
  return labels.map((label, at) => {
    const nth = labels.slice(0, at + 1).filter((one) => one === label).length;
    return nth === 1 ? label : `${label} (${nth})`;
  });
}

function providerOf(baseUrl: string, wireApi: ProtocolId, settings: Settings, via: string): ProviderConfig {
  return createProvider({
    name: 'upstream',
    baseUrl,
    wireApi,
    model: settings.model,
    envKey: settings.apiKey === undefined ? undefined : KEY_NAME,
    httpHeaders: { ...settings.upstreamHeaders, via },
    queryParams: settings.upstreamQuery,
    streamIdleTimeoutMs: settings.idleTimeoutMs,
    usageGraceMs: settings.usageGraceMs,
    connectTimeoutMs: settings.connectTimeoutMs,
    toolCallsOnStop: settings.toolCallsOnStop,
    onClose: settings.onClose,
    thinkTags: settings.thinkTags,
    systemAsUser: settings.systemAsUser,
    contextWindow: settings.contextWindow,
  });
}
