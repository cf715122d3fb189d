import type { Logger } from 'pino';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import type { ProxyOptions } from '@turnwire/client/internal/transport/proxy-choice';
import type { ProtocolId, ThinkTags } from '@turnwire/wire/internal/decoder';
import { randomKey } from '@turnwire/client/internal/platform/random';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { readBaseUrl } from '@turnwire/client/internal/provider/base-url';
import type { PageFile, TapeMaker } from './inspect/page.ts';
import type { StoreLimits } from './store/index.ts';

/** How answers travel: translated between the wires, untouched, or without deltas. */
export type BridgeMode = 'translate' | 'passthrough' | 'final-only';

/** A search engine that a bridge may ask. */
export interface SearchSettings {
  /** A SearXNG server, or Brave's API (`https://api.search.brave.com`). */
  readonly url: string;
  /** The engine's key, asked for at every search. Default: none is sent. */
  readonly key?: () => string | undefined;
}

/** Somebody who may call, by a token of their own. */
export interface CallerOptions {
  /** For the log, the metrics and errors; nobody else's. */
  readonly name: string;
  /** What they send as bearer token, or as `x-api-key`. */
  readonly token: string;
  /** Number of requests for an answer in a minute; more get 429. Default: no bound. */
  readonly requestsPerMinute?: number;
  /** Tokens of requests and answers in a minute; who used them up gets 429. Default: no bound. */
  readonly tokensPerMinute?: number;
  /** Number of streams that may be open at one time. Default: that of all. */
  readonly maxStreams?: number;
}

/** The inspector: a page that shows what happens in a bridge, and happened lately. */
export interface InspectSettings {
  /** The files of the page, as `pageFiles()` of `@turnwire/inspector` gives them. */
  readonly page: readonly PageFile[];
  /** What the link to the page holds; nobody sees the page without it. Default: a random one. */
  readonly token?: string;
  /** Number of exchanges that are kept when they are over. Default 200. */
  readonly keep?: number;
  /** Bytes of memory for what happened in one exchange, of which the beginning and the end are kept. Default 8 MiB. */
  readonly bytesEach?: number;
  /** Bytes of memory for all of them. Default 64 MiB. */
  readonly bytesInAll?: number;
  /** Makes a tape of an exchange, as JSON lines. Default: no tape can be had. */
  readonly toTape?: TapeMaker;
}

/** Another name for a model: what clients ask for, `*` standing for any text, and the name that servers are asked for instead. */
export interface ModelMapRow {
  /** What clients ask for. */
  readonly pattern: string;
  /** What servers are asked for. */
  readonly model: string;
}

/** What is known of a model beside its name. Absent: not known. */
export interface ModelFacts {
  /** Tokens that fit into its context window, as its server runs it. */
  readonly contextWindow?: number;
  /** It reads pictures. */
  readonly images?: boolean;
  /** How much it can be asked to think, least first; none: it does not think, or cannot be told how much. */
  readonly reasoningLevels?: readonly string[];
}

/** A model that clients of a bridge may ask for. */
export interface BridgeModel extends ModelFacts {
  /** Its name for them. */
  readonly id: string;
}

/** One model server. */
export interface UpstreamOptions extends OwnOptions {
  /** Its base URL; one without a path gets `/v1`. */
  readonly url: string;
  /**
   * Its keys, used in turn. One that is refused, out of credit or over its limit rests, while the others go on. Default: the
   * bridge's `apiKey`.
   */
  readonly keys?: readonly UpstreamKey[];
  /**
   * The names of the models that it has, where it cannot tell; `*` stands for any text. Default: it is asked
   * (`/v1/models`), and one that has no list is taken to have any model.
   */
  readonly models?: readonly string[];
}

/** Options of the bridge that an upstream may have of its own. */
type OwnNames =
  | 'wire'
  | 'apiKeySource'
  | 'upstreamHeaders'
  | 'upstreamQuery'
  | 'idleTimeoutMs'
  | 'usageGraceMs'
  | 'connectTimeoutMs'
  | 'toolCallsOnStop'
  | 'onClose'
  | 'thinkTags'
  | 'systemAsUser'
  | 'contextWindow';

/** Made of a type with these members alone: so each keeps what is said of it. */
type Own = Pick<BridgeOptions, OwnNames>;
type OwnOptions = { readonly [K in keyof Own]?: Own[K] | undefined };

/** One key of a model server. */
export interface UpstreamKey {
  /** Asked for at every request. */
  readonly key: () => string | undefined;
  /** Where it comes from, e.g. `--env-key OPENAI_API_KEY`, for errors and the log. Default: it has no name there. */
  readonly source?: string | undefined;
}

/** An upstream with all that holds for it. */
export interface UpstreamSettings extends OwnOptions {
  readonly url: string;
  readonly wire: 'auto' | ProtocolId;
  readonly keys: readonly UpstreamKey[];
  readonly models: readonly string[] | undefined;
  readonly model: string | undefined;
}

/** What a bridge serves, from where, and within which bounds. */
export interface BridgeOptions {
  /** The model servers: base URLs, or what else there is to say of one. */
  readonly upstreams: readonly (string | UpstreamOptions)[];
  /** The upstreams' wire. `auto` asks each once. Default `auto`. */
  readonly wire?: 'auto' | ProtocolId;
  /** How answers travel. Default `translate`. */
  readonly mode?: BridgeMode;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** TCP port to listen on; 0 takes a free one. Default 18080. */
  readonly port?: number;
  /** The upstreams' key, asked for at every request. Default: none is sent. */
  readonly apiKey?: () => string | undefined;
  /**
   * Where that key comes from, e.g. `--env-key OPENAI_API_KEY`, for the error that says that an upstream refuses it.
   * Default: the names of the options here.
   */
  readonly apiKeySource?: string;
  /** Headers for the upstreams, names in lower case. Default: none. */
  readonly upstreamHeaders?: Readonly<Record<string, string>>;
  /** Parameters for the upstreams' addresses, not escaped again. Default: none. */
  readonly upstreamQuery?: Readonly<Record<string, string>>;
  /** Proxies on the way to the upstreams. Default: none. */
  readonly proxy?: ProxyOptions;
  /** What callers have to send as bearer token. Without one only loopback is listened on. */
  readonly authToken?: string;
  /** Who else may call, each by a token and within limits of their own. Default: nobody. */
  readonly callers?: readonly CallerOptions[];
  /** Listen beyond loopback without a token. Default false. */
  readonly insecure?: boolean;
  /** Names that a `Host` header may have beside the loopback names and `host`; `*` allows all. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Web pages that may ask, as in their `Origin` header; `*` allows all. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** `memory`, `sqlite:PATH` or `redis://…`. Default `memory`. */
  readonly store?: string;
  /** Bounds of the store. Default: those of {@link StoreLimits}. */
  readonly storeLimits?: StoreLimits;
  /** The search engine for `POST /v1/alpha/search`, which Codex asks. Default: none; that route is 404. */
  readonly search?: SearchSettings;
  /** The model of requests that name none. Default: such a request goes on without one. */
  readonly model?: string;
  /**
   * The names that servers are asked for instead of those that clients ask for; the first row whose pattern matches, `*`
   * standing for any text. Clients see the name that they asked for. Not with `passthrough`. Default: none.
   */
  readonly modelMap?: readonly ModelMapRow[];
  /** What is known of models, by the names that servers have for them; it goes before what servers tell. Default: nothing. */
  readonly modelFacts?: Readonly<Record<string, ModelFacts>>;
  /** What the upstreams' Responses wire is given: the tools as they are, or functions. Default: by its host. */
  readonly tools?: 'auto' | 'native' | 'functions';
  /** Milliseconds of an upstream's silence after which its stream is given up. Default 300,000. */
  readonly idleTimeoutMs?: number;
  /**
   * Milliseconds until an upstream's first event; then another one is asked, if one takes requests. Comments are no
   * events. 0 is off. Default 60,000.
   */
  readonly firstEventTimeoutMs?: number;
  /** Milliseconds of silence before whose end a client gets a sign of life; 0 is off. Default 10,000. */
  readonly heartbeatMs?: number;
  /**
   * Milliseconds that a stored response which is streamed goes on when its client is gone, for that one to come back with `starting_after`; what
   * fails before its first event is told in the stream then. Default 0: it ends with its client.
   */
  readonly resumeMs?: number;
  /** Milliseconds that a finished chat answer waits for its usage. Default 250. */
  readonly usageGraceMs?: number;
  /** Milliseconds until the connection to an upstream stands. Default 15,000. */
  readonly connectTimeoutMs?: number;
  /** What becomes of complete tool calls that end in `stop`. Default `promote`. */
  readonly toolCallsOnStop?: 'drop' | 'promote';
  /**
   * What it means when an upstream ends its body without an end of the answer: an error, or a good end. Default
   * `error`.
   */
  readonly onClose?: 'error' | 'complete';
  /**
   * Whether the text between `<think>` and its like at the very beginning of an upstream's answer is reasoning; `'opened'`
   * where the prompt ends in the opening tag. Not with `passthrough`, where bytes stay as they are. Default false.
   */
  readonly thinkTags?: ThinkTags;
  /**
   * What the system says between two turns is sent within what the user says, for servers whose templates take it at the
   * beginning alone. Default false: so only once a server has refused it at its place.
   */
  readonly systemAsUser?: boolean;
  /** Tokens that fit into the model's context window: tells a full one from another limit. Default: unknown. */
  readonly contextWindow?: number;
  /**
   * Number of extra attempts at the only upstream before its first event; of several each is asked once anyway.
   * Default 4.
   */
  readonly requestMaxRetries?: number;
  /** Serve the WebSocket upgrade; else it is refused with 426 at once. Default true. */
  readonly websocket?: boolean;
  /**
   * Milliseconds before it listens in which the code that answers requests is run, on loopback and seen by nobody, so that the first
   * clients do not wait for it to be compiled. Default 0: none.
   */
  readonly warmUpMs?: number;
  /** Number of streams that may be open at one time; more get 429. Default 4096. */
  readonly maxStreams?: number;
  /** Bytes of a request's body; more get 413. Default 64 MiB. */
  readonly bodyLimit?: number;
  /** Milliseconds that streams get to finish when the bridge closes. Default 30,000. */
  readonly drainTimeoutMs?: number;
  /** Key of the sealed turn state; bridges behind one name share it. Default: a random one. */
  readonly turnStateKey?: string;
  /** Serve the inspector, below `/inspect/`. Default: it is not served, and nothing of an exchange but its row is kept. */
  readonly inspect?: InspectSettings;
  /** Folder for traces of every exchange, without secrets. Default: no traces. */
  readonly traceDir?: string;
  /** Takes the log. Default: no log. */
  readonly logger?: Logger;
  /** Default: the clock of the system. */
  readonly clock?: Clock;
}

/** Options with every default filled in. */
export type Settings = ReturnType<typeof settingsOf>;

/** Wrong options: one line for the user. */
export class BridgeOptionsError extends Error {
  override readonly name = 'BridgeOptionsError';
}

/** @throws BridgeOptionsError */
export function settingsOf(options: BridgeOptions) {
  if (options.upstreams.length === 0) throw new BridgeOptionsError('an upstream is needed: --upstream URL');
  if (options.mode === 'passthrough' && (options.modelMap ?? []).length > 0) {
    throw new BridgeOptionsError('passthrough leaves requests as they are: --model-map and [models] are not for it');
  }
  const settings = {
    ...options,
    modelMap: options.modelMap ?? [],
    callers: callersOf(options),
    modelFacts: options.modelFacts ?? {},
    wire: options.wire ?? 'auto',
    mode: options.mode ?? 'translate',
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 18080,
    store: options.store ?? 'memory',
    tools: options.tools ?? 'auto',
    idleTimeoutMs: options.idleTimeoutMs ?? 300_000,
    firstEventTimeoutMs: options.firstEventTimeoutMs ?? 60_000,
    heartbeatMs: options.heartbeatMs ?? 10_000,
    resumeMs: options.resumeMs ?? 0,
    usageGraceMs: options.usageGraceMs ?? 250,
    connectTimeoutMs: options.connectTimeoutMs ?? 15_000,
    toolCallsOnStop: options.toolCallsOnStop ?? 'promote',
    onClose: options.onClose ?? 'error',
    thinkTags: options.thinkTags ?? false,
    systemAsUser: options.systemAsUser ?? false,
    requestMaxRetries: options.requestMaxRetries ?? 4,
    websocket: options.websocket ?? true,
    warmUpMs: options.warmUpMs ?? 0,
    maxStreams: options.maxStreams ?? 4096,
    bodyLimit: options.bodyLimit ?? 64 * 1024 * 1024,
    drainTimeoutMs: options.drainTimeoutMs ?? 30_000,
    turnStateKey: options.turnStateKey ?? randomKey(32),
    clock: options.clock ?? systemClock,
  } as const;
  const { apiKey, apiKeySource } = options;
  const keys = apiKey === undefined ? [] : [{ key: apiKey, source: apiKeySource }];
  return { ...settings, upstreams: upstreamsOf(options.upstreams, { ...ownOf(settings), keys }) };
}

/** Whoever has the same name or token as another could not be told from them. */
function callersOf({ callers = [], authToken }: BridgeOptions): readonly CallerOptions[] {
  const tokens = [...callers.map(({ token }) => token), ...(authToken === undefined ? [] : [authToken])];
  const wrong = callers.find(({ name }) => !/^[\x21-\x7e]{1,64}$/.test(name));
  if (wrong !== undefined)
    throw new BridgeOptionsError(`a caller's name has up to 64 visible characters, and no spaces`);
  const twice = callers.find(({ name }, at) => callers.findIndex((one) => one.name === name) !== at);
  if (twice !== undefined) throw new BridgeOptionsError(`there are two callers ${twice.name}`);
  const bare = callers.find(({ token }) => token.trim() === '');
  if (bare !== undefined) throw new BridgeOptionsError(`the caller ${bare.name} has no token`);
  if (new Set(tokens).size < tokens.length) throw new BridgeOptionsError('two callers have the same token');
  return callers;
}

/** What holds for an upstream that does not say otherwise. */
function ownOf(settings: OwnOptions & Pick<UpstreamSettings, 'wire'> & { readonly model?: string | undefined }) {
  const { wire, model, apiKeySource, upstreamHeaders, upstreamQuery, idleTimeoutMs, usageGraceMs, connectTimeoutMs } =
    settings;
  const { toolCallsOnStop, onClose, thinkTags, systemAsUser, contextWindow } = settings;
  const times = { idleTimeoutMs, usageGraceMs, connectTimeoutMs };
  return {
    wire,
    model,
    apiKeySource,
    upstreamHeaders,
    upstreamQuery,
    ...times,
    toolCallsOnStop,
    onClose,
    thinkTags,
    systemAsUser,
    contextWindow,
  };
}

/** Each address once, with all of its keys, and the bridge's options where it has none of its own. */
function upstreamsOf(upstreams: BridgeOptions['upstreams'], usual: Omit<UpstreamSettings, 'url' | 'models'>) {
  const all = upstreams
    .map((one): UpstreamOptions => (typeof one === 'string' ? { url: one } : one))
    .map((one) => ({ ...one, url: parseBaseUrl(one.url) }));
  const addresses = [...new Set(all.map(({ url }) => url))];
  return addresses.map((url): UpstreamSettings => {
    const same = all.filter((one) => one.url === url);
    const keys = same.flatMap((one) => (one.keys === undefined ? [] : [one.keys]));
    const own = Object.entries({ ...same[0] }).filter(([, value]) => value !== undefined);
    const given = Object.fromEntries(own) as Partial<UpstreamSettings>;
    return { ...usual, models: undefined, ...given, url, keys: keys.length === 0 ? usual.keys : keys.flat() };
  });
}

/**
 * The base URL as clients of the API mean it: most people leave out `/v1`, some give a whole endpoint.
 *
 * @throws BridgeOptionsError
 */
export function parseBaseUrl(text: string): string {
  const address = readBaseUrl(text);
  if ('wrong' in address) throw new BridgeOptionsError(`the address of an upstream ${address.wrong}`);
  return address.text;
}
