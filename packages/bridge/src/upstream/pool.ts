import type { HttpTransport } from '@turnwire/client/internal/transport/http';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { ModelError } from '@turnwire/wire/internal/model/errors';
import type { UpstreamStatus } from '../observe/upstream-status.ts';
import type { Settings } from '../options.ts';
import { Catalogue } from './catalogue.ts';
import type { Hop } from './hop.ts';
import type { AskModels } from './known-models.ts';
import { isOfKey, Lease } from './lease.ts';
import { labelsOf, membersOf, type Member } from './member.ts';
import { answersPages, ownWireOf, probeWire } from './probe.ts';
import { reachOf, type UpstreamReach } from './reach.ts';
import type { Rest, RestNews } from './rest.ts';
import { Server } from './server.ts';
import { learnFacts, listModels, type AskedServer } from './server-models.ts';
import type { Upstream } from './upstream.ts';

export type { Lease } from './lease.ts';
export type { Upstream } from './upstream.ts';

export interface TakeOptions {
  /** Key of the upstream that the turn began on. */
  readonly sticky: string | undefined;
  /** Whose server encrypted something in the conversation, last. */
  readonly maker?: string | undefined;
  /** The model that the request names. */
  readonly model: string | undefined;
  /** Upstreams that failed this request already, or are not to be asked. */
  readonly not: ReadonlySet<Upstream>;
}

/** The model servers: which one is asked next, with which key, and how they are. */
export class UpstreamPool {
  readonly #servers: readonly Server[];
  readonly #members: readonly Member[];
  readonly #settings: Settings;
  readonly #transport: HttpTransport;
  readonly #closing = new AbortController();
  /** Upstreams of several makers: what one encrypts, another refuses. */
  readonly hasSeveralMakers: boolean;
  /** Which of the servers has which model. */
  readonly catalogue: Catalogue<Server>;
  #turn = 0;
  #reaching: Promise<readonly UpstreamReach[]> | undefined;

  /** @param onRest - told of rests that began here or are over, for other workers of the same bridge */
  constructor(settings: Settings, transport: HttpTransport, hop: Hop, onRest?: (news: RestNews) => void) {
    this.#settings = settings;
    this.#transport = transport;
    const { upstreams, clock } = settings;
    const labels = labelsOf(upstreams.map(({ url }) => url));
    const ask = (server: Server): AskModels => this.#askOf(server);
    this.#servers = upstreams.map(
      (upstream, at) => new Server(upstream, { label: labels[at] ?? '', via: hop.stamp(), clock, ask, onRest }),
    );
    this.#members = this.#servers.flatMap(membersOf);
    this.hasSeveralMakers = new Set(this.#members.map(({ maker }) => maker)).size > 1;
    this.catalogue = new Catalogue(this.#servers, { ...settings, map: settings.modelMap });
  }

  /** Number of upstreams: a server counts once for each of its keys. */
  get size(): number {
    return this.#members.length;
  }

  get servers(): number {
    return this.#servers.length;
  }

  status(): UpstreamStatus[] {
    return this.#servers.map((server) => {
      const members = this.#membersOf(server);
      const states = members.map(({ state }) => state);
      const state = states.find((one) => one === 'ready') ?? states.find((one) => one !== 'resting') ?? 'resting';
      const until = Math.min(...members.map((member) => member.dueAt(undefined)));
      const restMs = state === 'resting' ? until - this.#settings.clock.now() : 0;
      return { label: server.label, state, restMs, open: server.open, failures: server.failures };
    });
  }

  /** Another worker has found out how one of the servers is. */
  adopt({ server: id, upstream, model, ...standing }: RestNews): void {
    const server = this.#servers.find((one) => one.id === id);
    if (server === undefined) return;
    const ofModel = (name: string): Rest => server.restOf(name) ?? server.addRestOf(name);
    const ofKey = this.#members.find(({ key }) => key === upstream)?.rest;
    const rest = model === undefined ? (upstream === undefined ? server.rest : ofKey) : ofModel(model);
    rest?.adopt(standing);
  }

  /** Asks each server whether it is there. Whoever asks meanwhile is told the same. */
  reach(): Promise<readonly UpstreamReach[]> {
    this.#reaching ??= Promise.all(this.#servers.map((server) => this.#reach(server)));
    const reaching = this.#reaching;
    void reaching.finally(() => (this.#reaching = undefined));
    return reaching;
  }

  /**
   * Upstreams that are not asked for a model: their servers do not have it.
   *
   * @throws ModelError when none has
   */
  async lacking(model: string | undefined, signal: AbortSignal): Promise<ReadonlySet<Upstream>> {
    const lacking = await this.catalogue.lacking(model, signal);
    return new Set([...lacking].flatMap((server) => this.#membersOf(server)));
  }

  /** True where no more than one server is left. */
  isOneBeside(lacking: ReadonlySet<Upstream>): boolean {
    return new Set(this.#members.filter((member) => !lacking.has(member)).map(({ server }) => server)).size < 2;
  }

  /**
   * The upstream that a turn began on, while it takes turns; else the one that made what the conversation holds encrypted; else
   * of those that do the server with the fewest open streams, and its key with the fewest; else the one whose rest is over
   * first, since a turn does not wait. Undefined when all are in `not`.
   */
  take({ sticky, maker, model, not }: TakeOptions): Lease | undefined {
    const free = this.#members.filter((member) => !not.has(member));
    const ready = free.filter((member) => member.takes(model));
    const made = ready.filter((member) => member.maker === maker);
    const chosen =
      ready.find(({ key }) => key === sticky) ??
      this.#leastBusy(made.length > 0 ? made : ready) ??
      soonest(free, model);
    return chosen === undefined ? undefined : this.#lease(chosen, model);
  }

  /** True while another server than that of `than` is known to be good, which one that only has rested is not. */
  hasOther({ model, not, than }: Omit<TakeOptions, 'sticky'> & { readonly than: Upstream }): boolean {
    const own = this.#memberOf(than).server;
    return this.#members.some((member) => member.server !== own && !not.has(member) && member.isReady(model));
  }

  /** The upstreams that a failed request is not put to any more: one key, or the server with all of its keys. */
  spentBy(upstream: Upstream, failure: ModelError): readonly Upstream[] {
    const { server } = this.#memberOf(upstream);
    return isOfKey(failure) ? [upstream] : this.#membersOf(server);
  }

  /** The wire that a server speaks, where that is known. */
  knownWireOf(upstream: Upstream): ProtocolId | undefined {
    return this.#memberOf(upstream).server.wire;
  }

  /** The wire that a server speaks; asked until somebody answered who knows. */
  async wireOf(upstream: Upstream): Promise<ProtocolId> {
    const member = this.#memberOf(upstream);
    const { server } = member;
    if (server.wire !== undefined) return server.wire;
    server.probing ??= this.#probe(member);
    return server.probing;
  }

  close(): void {
    this.#closing.abort();
  }

  #memberOf(upstream: Upstream): Member {
    const member = this.#members.find((one) => one === upstream);
    if (member === undefined) throw new Error('this upstream is of another pool');
    return member;
  }

  #membersOf(server: Server): readonly Member[] {
    return this.#members.filter((member) => member.server === server);
  }

  #askOf(server: Server): AskModels {
    return {
      list: () => listModels(this.#asked(server)),
      facts: (models) => learnFacts(this.#asked(server), models),
    };
  }

  /** A server as it is asked about its models: on its wire where that is known, since each has headers of its own. */
  #asked(server: Server): AskedServer {
    const wire = server.wire ?? ownWireOf(server.provider('chat').baseUrl) ?? 'chat';
    const { getEnv } = this.#asking(server);
    return { transport: this.#transport, provider: server.provider(wire), getEnv, signal: this.#closing.signal };
  }

  /** The server with the key that it is asked with. */
  #asking(server: Server): Member {
    const members = this.#membersOf(server);
    const asking = members.find((member) => member.takes(undefined)) ?? members[0];
    if (asking === undefined) throw new Error('a server is a member at least once');
    return asking;
  }

  #reach(server: Server): Promise<UpstreamReach> {
    const asking = this.#asking(server);
    const { signal } = this.#closing;
    const ask = {
      models: () => server.models.ask(),
      answersPages: () => answersPages(this.#transport, (wire) => server.provider(wire), asking.getEnv, signal),
    };
    return reachOf(ask, asking);
  }

  async #probe({ server, getEnv }: Member): Promise<ProtocolId> {
    try {
      const { signal } = this.#closing;
      const { wire, sure } = await probeWire(this.#transport, (id) => server.provider(id), getEnv, signal);
      if (sure) server.wire = wire;
      this.#settings.logger?.info({ upstream: server.label, wire, sure }, 'probed the upstream');
      return wire;
    } finally {
      server.probing = undefined;
    }
  }

  /** In turn where several are equal. */
  #leastBusy(members: readonly Member[]): Member | undefined {
    const turn = this.#turn++;
    if (members.length < 2) return members[0];
    const servers = leastOpen([...new Set(members.map(({ server }) => server))]);
    const server = servers[turn % Math.max(1, servers.length)];
    const keys = leastOpen(members.filter((member) => member.server === server));
    return keys[Math.floor(turn / Math.max(1, servers.length)) % Math.max(1, keys.length)];
  }

  #lease(member: Member, model: string | undefined): Lease {
    return new Lease(member, model, {
      alone: this.servers === 1,
      now: () => this.#settings.clock.now(),
      log: this.#settings.logger,
    });
  }
}

function leastOpen<T extends { readonly open: number }>(all: readonly T[]): readonly T[] {
  const least = Math.min(...all.map(({ open }) => open));
  return all.filter(({ open }) => open === least);
}

function soonest(members: readonly Member[], model: string | undefined): Member | undefined {
  return [...members].sort((a, b) => a.dueAt(model) - b.dueAt(model))[0];
}
