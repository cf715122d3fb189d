import type { HttpTransport } from '@turnwire/client/internal/transport/http';
import type { GetEnv } from '@turnwire/client/internal/provider/provider-request';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { UpstreamStatus } from '../observe/upstream-status.ts';
import type { Settings } from '../options.ts';
import type { Hop } from './hop.ts';
import { Lease } from './lease.ts';
import { Catalogue } from './catalogue.ts';
import type { AskModels } from './known-models.ts';
import { KEY_NAME, labelsOf, Member, type Upstream } from './member.ts';
import { ownWireOf, probeWire } from './probe.ts';
import { learnFacts, listModels, type AskedServer } from './server-models.ts';

export type { Lease } from './lease.ts';
export type { Upstream } from './member.ts';

export interface TakeOptions {
  /** Key of the server that the turn began on. */
  readonly sticky: string | undefined;
  /** The model that the request names. */
  readonly model: string | undefined;
  /** Servers that failed this request already. */
  readonly not: ReadonlySet<Upstream>;
}

/** The model servers: which one is asked next, and how they are. */
export class UpstreamPool {
  readonly #members: readonly Member[];
  readonly #settings: Settings;
  readonly #transport: HttpTransport;
  readonly #closing = new AbortController();
  /** Which of the servers has which model. */
  readonly catalogue: Catalogue<Upstream>;
  #turn = 0;

  constructor(settings: Settings, transport: HttpTransport, hop: Hop) {
    this.#settings = settings;
    this.#transport = transport;
    const { upstreams } = settings;
    const labels = labelsOf(upstreams.map(({ url }) => url));
    this.#members = upstreams.map(
      (upstream, at) => new Member(upstream, labels[at] ?? '', settings, hop.stamp(), (member) => this.#askOf(member)),
    );
    this.catalogue = new Catalogue<Upstream>(this.#members, { ...settings, map: settings.modelMap });
  }

  get size(): number {
    return this.#members.length;
  }

  /** Servers of several makers: what one encrypts, another refuses. */
  get hasSeveralMakers(): boolean {
    return new Set(this.#members.map((member) => member.maker)).size > 1;
  }

  /** Reads the key under the one name that providers here have. */
  readonly getEnv: GetEnv = (name) => (name === KEY_NAME ? this.#settings.apiKey?.() : undefined);

  status(): UpstreamStatus[] {
    const now = this.#settings.clock.now();
    return this.#members.map(({ label, rest, open, failures }) => ({
      label,
      state: rest.state,
      restMs: rest.state === 'resting' ? rest.until - now : 0,
      open,
      failures,
    }));
  }

  /**
   * The server that a turn began on, while it takes turns; else the one of those that do with the fewest open streams; else
   * the one whose rest is over first, since a turn does not wait. Undefined when all are in `not`.
   */
  take({ sticky, model, not }: TakeOptions): Lease | undefined {
    const free = this.#members.filter((member) => !not.has(member));
    const ready = free.filter((member) => member.takes(model));
    const chosen = ready.find(({ key }) => key === sticky) ?? this.#leastBusy(ready) ?? soonest(free, model);
    return chosen === undefined ? undefined : this.#lease(chosen, model);
  }

  /** True while another server is known to be good, which one that only has rested is not. */
  hasOther({ model, not }: Omit<TakeOptions, 'sticky'>): boolean {
    return this.#members.some((member) => !not.has(member) && member.isReady(model));
  }

  /** The wire that a server speaks; asked until somebody answered who knows. */
  async wireOf(upstream: Upstream): Promise<ProtocolId> {
    const member = this.#members.find((one) => one === upstream);
    if (member === undefined) throw new Error('this upstream is of another pool');
    if (member.wire !== undefined) return member.wire;
    member.probing ??= this.#probe(member);
    return member.probing;
  }

  close(): void {
    this.#closing.abort();
  }

  #askOf(member: Member): AskModels {
    return {
      list: () => listModels(this.#asked(member)),
      facts: (models) => learnFacts(this.#asked(member), models),
    };
  }

  /** A server as it is asked about its models: on its wire where that is known, since each has headers of its own. */
  #asked(member: Member): AskedServer {
    const wire = member.wire ?? ownWireOf(member.provider('chat').baseUrl) ?? 'chat';
    const { signal } = this.#closing;
    return { transport: this.#transport, provider: member.provider(wire), getEnv: this.getEnv, signal };
  }

  async #probe(member: Member): Promise<ProtocolId> {
    try {
      const { signal } = this.#closing;
      const { wire, sure } = await probeWire(this.#transport, (id) => member.provider(id), this.getEnv, signal);
      if (sure) member.wire = wire;
      this.#settings.logger?.info({ upstream: member.label, wire, sure }, 'probed the upstream');
      return wire;
    } finally {
      member.probing = undefined;
    }
  }

  #leastBusy(members: readonly Member[]): Member | undefined {
    const least = Math.min(...members.map(({ open }) => open));
    const equal = members.filter(({ open }) => open === least);
    return equal[this.#turn++ % Math.max(1, equal.length)];
  }

  #lease(member: Member, model: string | undefined): Lease {
    return new Lease(member, model, {
      alone: this.size === 1,
      now: () => this.#settings.clock.now(),
      log: this.#settings.logger,
    });
  }
}

function soonest(members: readonly Member[], model: string | undefined): Member | undefined {
  return [...members].sort((a, b) => a.dueAt(model) - b.dueAt(model))[0];
}
