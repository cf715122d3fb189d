import type { ExchangeRow } from '../inspect/api.ts';
import type { Family } from '../observe/exposition.ts';
import type { LiveState, StoredResponse } from '../store/index.ts';
import type { RestNews } from '../upstream/rest.ts';
import type { UpstreamReach } from '../upstream/reach.ts';
import type { BridgeModel } from '../options.ts';

/** What a worker finds out, or does, that holds for all of them. */
export type News =
  /** So many streams are open on it; of one caller, or of all. */
  | { readonly kind: 'streams'; readonly caller?: string | undefined; readonly open: number }
  /** A caller has used so much of their limits. */
  | { readonly kind: 'used'; readonly caller: string; readonly requests: number; readonly tokens: number }
  | { readonly kind: 'rest'; readonly rest: RestNews }
  /** A response that can go on without its client. */
  | { readonly kind: 'response'; readonly id: string; readonly state: LiveState };

/** What one side asks the other: the name, what about, and the answer. JSON has to be able to say all of it. */
export interface Questions {
  readonly put: readonly [about: StoredResponse, answer: boolean];
  readonly get: readonly [about: string, answer: StoredResponse | undefined];
  readonly delete: readonly [about: string, answer: boolean];
  readonly item: readonly [about: string, answer: StoredResponse['input'][number] | undefined];
  /** To a worker: its own; to the primary process: those of all, with its own first. */
  readonly metrics: readonly [about: null, answer: readonly Family[]];
  /** About a caller, or all. */
  readonly rows: readonly [about: string | null, answer: readonly ExchangeRow[]];
  readonly reach: readonly [about: null, answer: readonly UpstreamReach[]];
  /** Milliseconds that it may take. */
  readonly models: readonly [about: number, answer: readonly BridgeModel[]];
}

/** How each question is answered, by a side that can be asked it. */
export type Answers = {
  readonly [Q in keyof Questions]?: (about: Questions[Q][0]) => Promise<Questions[Q][1]>;
};

/** What a worker has to know of the bridge that it is of. */
export interface BridgeIdentity {
  /** Where the bridge listens. */
  readonly port: number;
  readonly turnStateKey: string;
  /** The mark on what the bridge sends. */
  readonly hop: string;
}

/** What the primary process and a worker tell each other. */
export type Message =
  | { readonly kind: 'begin'; readonly identity: BridgeIdentity; readonly path: string }
  | { readonly kind: 'ready' }
  /** It takes no more, and lets its streams finish. */
  | { readonly kind: 'closing' }
  /** With the socket of a client, and its number. */
  | { readonly kind: 'connection'; readonly client: number }
  /** The client is here, and nothing of what it sent is read. */
  | { readonly kind: 'taken'; readonly client: number }
  | { readonly kind: 'close' }
  | { readonly kind: 'tell'; readonly news: News }
  /** To a worker: of another one, which has a number and a path for what is asked about its responses. */
  | { readonly kind: 'news'; readonly news: News; readonly from: number; readonly path: string }
  /** Another worker is gone. */
  | { readonly kind: 'gone'; readonly worker: number }
  | { readonly kind: 'ask'; readonly number: number; readonly what: keyof Questions; readonly about: unknown }
  | { readonly kind: 'answer'; readonly number: number; readonly answer?: unknown }
  | { readonly kind: 'failure'; readonly number: number; readonly text: string };
