import { createHash } from 'node:crypto';
import type { Timer } from '../../base/clock.ts';
import type { ModelError } from '../../model/errors.ts';
import type { HttpTransport } from '../../transport/http.ts';
import { createProvider, type ProviderConfig } from '../../client/provider.ts';
import { requestUrl, type GetEnv } from '../../client/provider-request.ts';
import type { ServerMemory } from '../../client/model-call.ts';
import type { WireApi } from '../../wire/decoder.ts';
import type { Settings } from '../options.ts';
import { probeWire } from './probe.ts';

/** How often a server that failed is looked at again. */
const PROBE_EVERY_MS = 2000;
/** A server that asked for a pause is left alone for as long as it said, at most for this time. */
const LONGEST_REST_MS = 60_000;

/** Stands for the key in provider configurations; the value is asked for at every request. */
const KEY_NAME = 'UPSTREAM_KEY';

/** One model server behind the bridge. */
export interface Upstream {
  /** Names it in a turn state: the same for the same address, on every bridge. */
  readonly key: string;
  readonly baseUrl: string;
  /** Streams that are open on it. */
  readonly open: number;
  readonly healthy: boolean;
  readonly memory: ServerMemory;
  provider(wire: WireApi): ProviderConfig;
}

interface Member extends Upstream {
  open: number;
  healthy: boolean;
  /** On the clock; it asked not to be asked before. */
  restsUntil: number;
  wire: WireApi | undefined;
  probing: Promise<WireApi> | undefined;
}

/** The model servers: which one is asked next, and how they are. */
export class UpstreamPool {
  readonly #members: readonly Member[];
  readonly #settings: Settings;
  readonly #transport: HttpTransport;
  readonly #closing = new AbortController();
  #timer: Timer | undefined;
  #turn = 0;

  constructor(settings: Settings, transport: HttpTransport) {
    this.#settings = settings;
    this.#transport = transport;
    this.#members = settings.upstreams.map((baseUrl) => memberOf(baseUrl, settings));
  }

  get members(): readonly Upstream[] {
    return this.#members;
  }

  /** Reads the key under the one name that providers here have. */
  readonly getEnv: GetEnv = (name) => (name === KEY_NAME ? this.#settings.apiKey?.() : undefined);

  /**
   * The upstream that a turn began on, while it is healthy and did not ask for a pause; else the one of these with the
   * fewest open streams; else any: one that was down a second ago may be up. Undefined when all are in `not`.
   */
  choose(sticky: string | undefined, not: ReadonlySet<Upstream>): Upstream | undefined {
    const now = this.#settings.clock.now();
    const free = this.#members.filter((member) => !not.has(member));
    const healthy = free.filter((member) => member.healthy);
    const ready = healthy.filter((member) => member.restsUntil <= now);
    const own = ready.find((member) => member.key === sticky);
    if (own !== undefined) return own;
    const candidates = [ready, healthy, free].find((some) => some.length > 0) ?? [];
    const least = Math.min(...candidates.map((member) => member.open));
    const equal = candidates.filter((member) => member.open === least);
    return equal[this.#turn++ % Math.max(1, equal.length)];
  }

  /** Counts a stream on it until the returned function is called. */
  begin(upstream: Upstream): () => void {
    const member = upstream as Member;
    member.open++;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      member.open--;
    };
  }

  /** A good answer began. */
  succeeded(upstream: Upstream): void {
    (upstream as Member).healthy = true;
  }

  /** Takes a server out of the choice when the failure tells that it is down or wants a pause, not that the request was bad. */
  failed(upstream: Upstream, error: ModelError): void {
    const member = upstream as Member;
    const { afterMs } = error.retry;
    if (afterMs !== undefined) member.restsUntil = this.#settings.clock.now() + Math.min(afterMs, LONGEST_REST_MS);
    if (!isDown(error)) return;
    member.healthy = false;
    this.#watch();
  }

  /** The wire that a server speaks; asked until somebody answered who knows. */
  async wireOf(upstream: Upstream): Promise<WireApi> {
    const member = upstream as Member;
    if (member.wire !== undefined) return member.wire;
    member.probing ??= this.#probe(member);
    return member.probing;
  }

  close(): void {
    this.#timer?.cancel();
    this.#closing.abort();
  }

  async #probe(member: Member): Promise<WireApi> {
    try {
      const provider = member.provider('responses');
      const { wire, sure } = await probeWire(this.#transport, provider, this.getEnv, this.#closing.signal);
      if (sure) member.wire = wire;
      this.#settings.logger?.info({ upstream: member.baseUrl, wire, sure }, 'probed the upstream');
      return wire;
    } finally {
      member.probing = undefined;
    }
  }

  /** Looks at those that are down until none is. */
  #watch(): void {
    if (this.#timer !== undefined || this.#closing.signal.aborted) return;
    this.#timer = this.#settings.clock.after(PROBE_EVERY_MS, () => {
      this.#timer = undefined;
      const down = this.#members.filter((member) => !member.healthy);
      void Promise.all(down.map((member) => this.#revive(member))).then(() => {
        if (this.#members.some((member) => !member.healthy)) this.#watch();
      });
    });
  }

  /** Any answer to a small question tells that it is there. */
  async #revive(member: Member): Promise<void> {
    try {
      const response = await this.#transport.send({
        method: 'GET',
        url: requestUrl(member.provider('chat'), 'models'),
        signal: this.#closing.signal,
        timers: { connectMs: PROBE_EVERY_MS, totalMs: PROBE_EVERY_MS },
      });
      response.cancel();
      if (!isGone(response.status)) member.healthy = true;
    } catch {
      // still down
    }
  }
}

function memberOf(baseUrl: string, settings: Settings): Member {
  const providers = new Map<WireApi, ProviderConfig>();
  return {
    key: createHash('sha256').update(baseUrl).digest('hex').slice(0, 12),
    baseUrl,
    open: 0,
    healthy: true,
    restsUntil: 0,
    wire: settings.wire === 'auto' ? undefined : settings.wire,
    probing: undefined,
    memory: { usageRefused: false },
    provider: (wire) => {
      const provider = providers.get(wire) ?? providerOf(baseUrl, wire, settings);
      providers.set(wire, provider);
      return provider;
    },
  };
}

function providerOf(baseUrl: string, wireApi: WireApi, settings: Settings): ProviderConfig {
  return createProvider({
    name: 'upstream',
    baseUrl,
    wireApi,
    model: settings.model,
    envKey: settings.apiKey === undefined ? undefined : KEY_NAME,
    httpHeaders: settings.upstreamHeaders,
    queryParams: settings.upstreamQuery,
    streamIdleTimeoutMs: settings.idleTimeoutMs,
    usageGraceMs: settings.usageGraceMs,
    connectTimeoutMs: settings.connectTimeoutMs,
    toolCallsOnStop: settings.toolCallsOnStop,
    onClose: settings.onClose,
  });
}

function isDown(error: ModelError): boolean {
  if (error.kind === 'connection_failed' || error.kind === 'stream_truncated') return true;
  if (error.kind === 'timeout' || error.kind === 'stream_idle') return true;
  return error.status !== undefined && isGone(error.status);
}

/** What a gateway says when there is no server behind it. */
function isGone(status: number): boolean {
  return status >= 502 && status <= 504;
}
