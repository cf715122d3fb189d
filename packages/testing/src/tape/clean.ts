import { redactTarget } from '@turnwire/client/internal/platform/secret-text';
import type { HeaderList, TapedChunk, TapedExchange, TapedMessage, TapedRequest, TapedResponse } from './tape.ts';
import { codingsOf, decodedHeaders, headerOf, readBodyOf } from './body.ts';
import { blank, redactHeaders, SecretMask, StreamMask } from './redact.ts';

/** What was done to a body for the sake of the secrets in it, or of those that may be. */
export type BodyNote = 'decoded' | 'withheld';

export interface Clean<T> {
  readonly clean: T;
  readonly note?: BodyNote;
}

/**
 * A request as it may be kept: what is secret in it is learnt by the mask, and masked. A compressed body stays as it is
 * unless there is something to mask in it: then it is kept decoded. One that nobody can read is kept as asterisks.
 */
export function cleanRequest<T extends Pick<TapedRequest, 'headers' | 'target' | 'body'>>(
  request: T,
  mask: SecretMask,
): Clean<T> {
  mask.learnHeaders(request.headers);
  mask.learnTarget(request.target);
  const { body, headers, note } = cleanBody(request.headers, request.body, mask);
  const clean = { ...request, body, headers: cleanHeaders(headers, mask), target: cleanTarget(request.target, mask) };
  return { clean, ...(note === undefined ? {} : { note }) };
}

/** Secret headers lose their value; the others what they repeat of it. */
export function cleanHeaders(headers: HeaderList, mask: SecretMask): HeaderList {
  return redactHeaders(headers).map(([name, value]) => [name, mask.maskText(value)] as const);
}

/** The path stays as it is, but for what looks like a key: it is what the exchange is found by. */
function cleanTarget(target: string, mask: SecretMask): string {
  const [path = '', ...query] = redactTarget(target).split('?');
  return [path, ...query.map((part) => mask.maskText(part))].join('?');
}

interface CleanBody {
  readonly body: Uint8Array;
  readonly headers: HeaderList;
  readonly note?: BodyNote;
}

function cleanBody(headers: HeaderList, body: Uint8Array, mask: SecretMask): CleanBody {
  const type = headerOf(headers, 'content-type');
  if (codingsOf(headers).length === 0) return { body: mask.maskBody(body, type), headers };
  if (body.length === 0) return { body, headers };
  const decoded = readBodyOf(headers, body);
  if (decoded === undefined) return { body: blank(body), headers, note: 'withheld' };
  const clean = mask.maskBody(decoded, type);
  if (clean === decoded) return { body, headers };
  return { body: clean, headers: decodedHeaders(headers, clean.length), note: 'decoded' };
}

/** Compressed bytes that wait, at most: past it the answer is not kept. */
const MOST_HELD = 64 * 1024 * 1024;

/** An answer that is compressed: whether it holds a secret can only be told when it is over. */
export class HeldAnswer {
  readonly #head: TapedResponse;
  readonly #chunks: TapedChunk[] = [];
  #bytes = 0;

  constructor(head: TapedResponse) {
    this.#head = head;
  }

  push(chunk: TapedChunk): void {
    this.#bytes += chunk.data.length;
    this.#chunks.push(this.#bytes > MOST_HELD ? { ...chunk, data: blank(chunk.data) } : chunk);
  }

  /** Head and chunks as they may be kept: as they came when nothing is masked, else decoded in one chunk. */
  finish(mask: SecretMask): { readonly head: TapedResponse; readonly chunks: readonly TapedChunk[]; note?: BodyNote } {
    const { body, headers, note } = cleanBody(this.#head.headers, Buffer.concat(this.#chunks.map((c) => c.data)), mask);
    const head = { ...this.#head, headers };
    const [first] = this.#chunks;
    if (note === undefined || first === undefined) return { head, chunks: this.#chunks };
    if (note === 'decoded') return { head, chunks: [{ ms: this.#chunks.at(-1)?.ms ?? first.ms, data: body }], note };
    return { head, chunks: this.#chunks.map(({ ms, data }) => ({ ms, data: blank(data) })), note };
  }
}

/**
 * A whole exchange as it may be kept or shown, for who did not write it down as it came.
 *
 * @param secrets - what is known to be secret in it, beside what can be recognised
 */
export function cleanExchange(exchange: TapedExchange, secrets: readonly string[] = []): TapedExchange {
  const mask = new SecretMask();
  for (const secret of secrets) mask.learn(secret);
  const { clean: request } = cleanRequest(exchange.request, mask);
  const messages = exchange.messages.map((message) => cleanMessage(message, mask));
  const answer = exchange.response === undefined ? {} : cleanAnswer(exchange.response, exchange.chunks, mask);
  return { ...exchange, request, messages, ...answer };
}

function cleanMessage(message: TapedMessage, mask: SecretMask): TapedMessage {
  const { data } = message;
  return { ...message, data: typeof data === 'string' ? mask.maskBodyText(data) : mask.maskBody(data) };
}

function cleanAnswer(
  head: TapedResponse,
  chunks: readonly TapedChunk[],
  mask: SecretMask,
): Required<Pick<TapedExchange, 'response' | 'chunks'>> {
  mask.learnHeaders(head.headers);
  if (codingsOf(head.headers).length > 0) {
    const held = new HeldAnswer(head);
    for (const chunk of chunks) held.push(chunk);
    const { head: decoded, chunks: kept } = held.finish(mask);
    return { response: { ...decoded, headers: cleanHeaders(decoded.headers, mask) }, chunks: kept };
  }
  const stream = new StreamMask(mask);
  const kept = [...chunks.flatMap((chunk) => stream.push(chunk)), ...stream.flush()];
  return { response: { ...head, headers: cleanHeaders(head.headers, mask) }, chunks: kept };
}
