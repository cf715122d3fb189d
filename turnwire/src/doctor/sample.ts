import { gunzipSync, inflateSync, brotliDecompressSync, constants } from 'node:zlib';
import { isObject, parseJson, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { wait } from '@turnwire/client/internal/platform/wait';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import { createDecoder, type StreamDecoder, type ProtocolId } from '@turnwire/wire';
import { exchangeRaw, type RawAnswer, type RawChunk } from './raw-exchange.ts';
import { readSse, type SseReading } from './sse-reading.ts';

/** One question and what became of it. */
export interface Sample {
  readonly wire: ProtocolId;
  /** The last answer. */
  readonly answer: RawAnswer;
  /** Answers before it, that led to another try: refusals, redirects. */
  readonly earlier: readonly RawAnswer[];
  readonly reading: SseReading;
  /** The body, decompressed. */
  readonly text: string;
  /** The body was not compressed, so its chunks are those of the wire. */
  readonly plain: boolean;
  /** What turnwire's own decoder makes of it. */
  readonly ours: Ours;
  /** The request as it was sent last. */
  readonly body: JsonObject;
  /** How long we stayed after the answer was over, at most; milliseconds. */
  readonly stayedMs: number;
}

/** What turnwire's decoder says. */
export interface Ours {
  /** `completed`, or the kind of the error. */
  readonly outcome: string;
  readonly text: string;
  /** The calls of functions, as they would be run. */
  readonly calls: readonly OurCall[];
  /** The answer told its usage. */
  readonly usage: boolean;
}

export interface OurCall {
  readonly name: string;
  readonly arguments: string;
}

export interface AskOptions {
  /** Stay this long when the answer is over, to see whether its body ends. */
  readonly stayMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a server was found not to take; shared by all questions. */
export interface Adaptation {
  /** `stream_options` is refused. */
  noUsage: boolean;
  /** `max_tokens` is refused. */
  newLimit: boolean;
}

/** Bytes of an answer that are kept, at most. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Longest wait before another try, in milliseconds. */
const MAX_RETRY_WAIT = 2000;

/**
 * Asks once; a refusal that says what is wrong with the request, a redirect, and a transient refusal lead to one
 * more try each.
 */
export async function ask(
  url: URL,
  wire: ProtocolId,
  wanted: JsonObject,
  adaptation: Adaptation,
  options: AskOptions,
): Promise<Sample> {
  const earlier: RawAnswer[] = [];
  let target = url;
  let tried = false;
  for (;;) {
    const body = adapted(wanted, adaptation);
    const decoder = createDecoder(wire, { usageAsked: isObject(body.stream_options), tokenLimit: true });
    const answer = await send(target, body, decoder, options);
    const next = await another(answer, adaptation, target, tried, options.signal);
    if (next === undefined) return readSample({ wire, answer, earlier, body, stayedMs: options.stayMs });
    earlier.push(answer);
    target = next.url;
    tried ||= next.transient;
  }
}

async function send(url: URL, body: JsonObject, decoder: StreamDecoder, options: AskOptions): Promise<RawAnswer> {
  const { timeoutMs, stayMs, signal, headers } = options;
  return await exchangeRaw({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream, application/json', ...headers },
    body: JSON.stringify(body),
    signal,
    idleMs: timeoutMs,
    totalMs: timeoutMs * 4 + stayMs,
    maxBytes: MAX_BYTES,
    onChunk: (data, answered) => {
      if (isEncoded(answered)) return undefined;
      decoder.push(data);
      return decoder.phase === 'streaming' ? undefined : stayMs;
    },
  });
}

interface Another {
  readonly url: URL;
  readonly transient: boolean;
}

async function another(
  answer: RawAnswer,
  adaptation: Adaptation,
  url: URL,
  tried: boolean,
  signal: AbortSignal,
): Promise<Another | undefined> {
  const { status } = answer;
  if (status >= 300 && status < 400) {
    const to = URL.parse(answer.headers.location ?? '', url.href);
    return to?.origin === url.origin && to.href !== url.href ? { url: to, transient: false } : undefined;
  }
  if (status === 400 && adapt(bodyText(answer).text, adaptation)) return { url, transient: false };
  const transient = answer.end === 'refused' || [408, 409, 425, 429].includes(status) || status >= 500;
  if (!transient || tried) return undefined;
  const seconds = Number(answer.headers['retry-after'] ?? 0);
  if (seconds * 1000 > MAX_RETRY_WAIT) return undefined;
  await wait(systemClock, Math.max(50, seconds * 1000), signal);
  return { url, transient: true };
}

/** True when the refusal named something that can be left out, and had not been left out before. */
function adapt(refusal: string, adaptation: Adaptation): boolean {
  if (/stream_options|include_usage/.test(refusal) && !adaptation.noUsage) {
    adaptation.noUsage = true;
    return true;
  }
  if (refusal.includes('max_tokens') && !adaptation.newLimit) {
    adaptation.newLimit = true;
    return true;
  }
  return false;
}

function adapted(body: JsonObject, { noUsage, newLimit }: Adaptation): JsonObject {
  const { stream_options, max_tokens, ...rest } = body;
  return {
    ...rest,
    ...(stream_options === undefined || noUsage ? {} : { stream_options }),
    ...(max_tokens === undefined ? {} : newLimit ? { max_completion_tokens: max_tokens } : { max_tokens }),
  };
}

/** What is known of an answer before anybody has read it. */
type UnreadSample = Pick<Sample, 'wire' | 'answer' | 'earlier' | 'body' | 'stayedMs'>;

/** Reads an answer: strictly for the checks, and as turnwire does, where that is asked for. */
export function readSample(unread: UnreadSample): Sample {
  const { wire, answer, body } = unread;
  const { text, bytes, plain } = bodyText(answer);
  const chunks: readonly RawChunk[] = plain ? answer.chunks : [{ ms: answer.endMs, data: bytes }];
  const isStream = !/^\s*[{<]/.test(text);
  let ours: Ours | undefined;
  return {
    ...unread,
    reading: readSse(isStream ? chunks : []),
    text,
    plain,
    get ours() {
      return (ours ??= oursOf(wire, answer, bytes, body));
    },
  };
}

/** What our decoder says of the whole body. */
function oursOf(wire: ProtocolId, answer: RawAnswer, bytes: Uint8Array, body: JsonObject): Ours {
  if (answer.status !== 200) {
    const outcome = answer.status === 0 ? 'no answer' : `HTTP ${answer.status}`;
    return { outcome, text: '', calls: [], usage: false };
  }
  const decoder = createDecoder(wire, { usageAsked: isObject(body.stream_options), tokenLimit: true });
  const events = [...decoder.push(bytes), ...decoder.end({ type: 'close' })];
  return {
    outcome: decoder.failure?.kind ?? 'completed',
    text: events.map((event) => (event.type === 'output_text.delta' ? event.delta : '')).join(''),
    calls: events.flatMap(callIn),
    usage: events.some((event) => event.type === 'completed' && event.usage !== undefined),
  };
}

function callIn(event: ModelEvent): readonly OurCall[] {
  if (event.type !== 'output_item.done' || !String(event.item.type).endsWith('_call')) return [];
  const { name, arguments: args } = event.item as JsonObject;
  return [{ name: stringOf(name) ?? '', arguments: stringOf(args) ?? '' }];
}

function isEncoded(headers: Readonly<Record<string, string>>): boolean {
  return !['', 'identity'].includes(headers['content-encoding'] ?? '');
}

/** The body of an answer, decompressed as far as it came. */
export function bodyText(answer: RawAnswer): { text: string; bytes: Uint8Array; plain: boolean } {
  const raw = Buffer.concat(answer.chunks.map(({ data }) => data));
  const encoding = answer.headers['content-encoding'] ?? '';
  if (!isEncoded(answer.headers)) return { text: raw.toString('utf8'), bytes: raw, plain: true };
  try {
    const bytes = decompress(raw, encoding);
    return { text: bytes.toString('utf8'), bytes, plain: false };
  } catch {
    return { text: '', bytes: new Uint8Array(), plain: false };
  }
}

function decompress(raw: Buffer, encoding: string): Buffer {
  if (encoding === 'br') return brotliDecompressSync(raw, { finishFlush: constants.BROTLI_OPERATION_FLUSH });
  const options = { finishFlush: constants.Z_SYNC_FLUSH };
  return encoding === 'deflate' ? inflateSync(raw, options) : gunzipSync(raw, options);
}

/** The message of an error body, whatever its shape; else its first words. */
export function errorMessage(text: string): string {
  const value = parseJson(text);
  const error = isObject(value) ? (value.error ?? value.detail ?? value) : undefined;
  const message = isObject(error) ? stringOf(error.message) : stringOf(error);
  return (message ?? text.replaceAll(/\s+/g, ' ')).slice(0, 120);
}
