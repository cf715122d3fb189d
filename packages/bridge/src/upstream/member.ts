import { redactTarget } from '@turnwire/client/internal/platform/secret-text';
import type { ServerMemory } from '@turnwire/client/internal/http/server-memory';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import type { GetEnv } from '@turnwire/client/internal/provider/provider-request';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { RestState } from '../observe/upstream-status.ts';
import type { UpstreamKey } from '../options.ts';
import type { KnownModels } from './known-models.ts';
import type { Rest } from './rest.ts';
import { digest, type Server } from './server.ts';
import type { Credentials, Upstream } from './upstream.ts';

/** A server with one of its keys. */
export class Member implements Upstream {
  readonly server: Server;
  readonly key: string;
  readonly maker: string;
  readonly credentials: Credentials;
  readonly getEnv: GetEnv;
  /** That of its key, where the server has others. */
  readonly rest: Rest | undefined;
  /** Streams that are open with this key. */
  open = 0;

  /** @param id - of the key, where the server has several */
  constructor(server: Server, key: UpstreamKey | undefined, id: string | undefined) {
    this.server = server;
    this.key = id === undefined ? server.id : `${server.id}.${id}`;
    this.maker = id === undefined ? server.maker : `${server.maker}#${id}`;
    this.rest = id === undefined ? undefined : server.newRest({ upstream: this.key });
    this.getEnv = () => key?.key();
    this.credentials = server.credentialsWith(key);
  }

  get label(): string {
    return this.server.label;
  }

  get memory(): ServerMemory {
    return this.server.memory;
  }

  get models(): KnownModels {
    return this.server.models;
  }

  provider(wire: ProtocolId): ProviderConfig {
    return this.server.provider(wire);
  }

  secrets(): readonly string[] {
    return this.server.secrets();
  }

  /** It may be asked for this model: nothing rests, or only a probe is due. */
  takes(model: string | undefined): boolean {
    return this.#rests(model).every(({ state }) => state === 'ready' || state === 'due');
  }

  /** Nothing speaks against it: it is as good as any other for this model. */
  isReady(model: string | undefined): boolean {
    return this.#rests(model).every(({ state }) => state === 'ready');
  }

  /** When its rests are over for this model. */
  dueAt(model: string | undefined): number {
    return Math.max(...this.#rests(model).map(({ until }) => until));
  }

  /** How it is, whatever the model. */
  get state(): RestState {
    return this.#rests(undefined).find(({ state }) => state !== 'ready')?.state ?? 'ready';
  }

  #rests(model: string | undefined): readonly Rest[] {
    return [this.server.rest, this.rest, this.server.restOf(model)].filter((rest) => rest !== undefined);
  }
}

/** A server with each of its keys; once without one where it has none. */
export function membersOf(server: Server): readonly Member[] {
  const { keys, id } = server;
  if (keys.length < 2) return [new Member(server, keys[0], undefined)];
  return keys.map((key, at) => new Member(server, key, digest(`${id}\n${key.source ?? at}`, KEY_DIGITS)));
}

const KEY_DIGITS = 8;

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
