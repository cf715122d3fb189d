import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import type { Item } from '@turnwire/wire/internal/model/items';
import { isClientCall } from '@turnwire/wire/internal/request-history';
import type { ReplyEncoder } from '../reply/reply-encoder.ts';
import { newId } from '../request/prepare.ts';

/** Inputs that may wait for one response, and responses that may wait for the outputs of their calls with such inputs. */
const MAX_STEERS = 16;
const MAX_WAITING = 8;

/** Input that a client sent while a response ran: it goes on from that response as soon as it can (`response.steer`). */
interface Steer {
  readonly id: string;
  /** As it came. */
  readonly given: unknown;
  readonly messages: readonly Item[];
}

/** A response that runs on a socket. */
interface Target {
  readonly encoding: ReplyEncoder;
  readonly send: (events: readonly WireEvent[]) => void;
  readonly steers: Steer[];
}

/** Why an input is not taken, in the words of the API. */
interface Refusal {
  readonly code:
    | 'invalid_input'
    | 'response_not_found'
    | 'response_already_completed'
    | 'too_many_pending_steers'
    | 'successor_creation_failed';
  readonly message: string;
}

/**
 * The inputs that steer the responses of one socket. A response is never broken off for one: where it ends by itself, a successor goes on
 * from it with what waited; where it wants outputs of calls first, what waited goes along with these.
 */
export class Steering {
  readonly #running = new Map<string, Target>();
  /** By the response whose calls have no outputs yet; the oldest first. */
  readonly #waiting = new Map<string, readonly Steer[]>();

  begin(id: string, target: Omit<Target, 'steers'>): void {
    this.#running.set(id, { ...target, steers: [] });
  }

  /**
   * Takes an input, or says why not; the client is told either way.
   *
   * @param isKnown - whether a response that does not run was one of this socket
   * @param send - tells the client where there is no such response
   */
  submit(body: JsonObject, isKnown: (id: string) => boolean, send: (text: string) => void): Refusal | undefined {
    const id = nonEmpty(body.previous_response_id) ?? '';
    const target = this.#running.get(id);
    const messages = messagesOf(body.input);
    const refusal = refusalOf(target, messages, isKnown(id));
    if (refusal === undefined && target !== undefined && messages !== undefined) {
      const steer = { id: newId('steer'), given: body.input, messages };
      target.steers.push(steer);
      tell(target, 'response.steer.accepted', { steer: { id: steer.id, previous_response_id: id } });
      return undefined;
    }
    const fields = failed(refusal ?? GONE, { input: body.input, previous_response_id: id });
    if (target === undefined) send(JSON.stringify({ type: FAILED, ...fields, sequence_number: 0 }));
    else tell(target, FAILED, fields);
    return refusal;
  }

  /** The response has ended. Returns what its successor is asked, if there is to be one. */
  end(id: string): readonly Item[] | undefined {
    const target = this.#running.get(id);
    this.#running.delete(id);
    if (target === undefined || target.steers.length === 0) return undefined;
    const { status, output } = target.encoding.body;
    if (status !== 'completed') {
      this.#fail(target, id, { code: 'successor_creation_failed', message: 'the response did not complete' });
      return undefined;
    }
    const required = (output as readonly Item[]).filter(isClientCall).map(stubOf);
    if (required.length === 0) return target.steers.flatMap(({ messages }) => messages);
    this.#wait(id, target, required);
    return undefined;
  }

  /** The inputs that wait for the outputs of a response's calls, and wait no longer. */
  take(previousId: string | undefined): readonly Item[] {
    const steers = previousId === undefined ? undefined : this.#waiting.get(previousId);
    if (previousId === undefined || steers === undefined) return [];
    this.#waiting.delete(previousId);
    return steers.flatMap(({ messages }) => messages);
  }

  #wait(id: string, target: Target, required_input: readonly JsonObject[]): void {
    this.#waiting.set(id, target.steers);
    const oldest = this.#waiting.keys().next().value;
    if (this.#waiting.size > MAX_WAITING && oldest !== undefined) this.#waiting.delete(oldest);
    for (const steer of target.steers) {
      const fields = { steer: { id: steer.id, previous_response_id: id }, reason: 'waiting_for_required_input' };
      tell(target, 'response.steer.pending', { ...fields, required_input });
    }
  }

  #fail(target: Target, id: string, refusal: Refusal): void {
    for (const steer of target.steers) {
      tell(target, FAILED, failed(refusal, { id: steer.id, input: steer.given, previous_response_id: id }));
    }
  }
}

const FAILED = 'response.steer.failed';
const GONE: Refusal = { code: 'response_not_found', message: 'no such response runs on this connection' };

function refusalOf(target: Target | undefined, messages: unknown, isKnown: boolean): Refusal | undefined {
  if (messages === undefined) {
    return { code: 'invalid_input', message: 'input: a text, or a list of messages of the user, is expected' };
  }
  const hasEnded = target === undefined ? isKnown : target.encoding.body.status !== 'in_progress';
  if (hasEnded) return { code: 'response_already_completed', message: 'the response has ended: continue it' };
  if (target === undefined) return GONE;
  if (target.steers.length < MAX_STEERS) return undefined;
  return { code: 'too_many_pending_steers', message: `${MAX_STEERS} inputs wait for this response already` };
}

function failed({ code, message }: Refusal, steer: JsonObject): JsonObject {
  return { error: { type: 'invalid_request_error', code, message }, steer };
}

function tell({ encoding, send }: Target, type: string, fields: JsonObject): void {
  send(encoding.note?.(type, fields) ?? []);
}

function messagesOf(input: unknown): readonly Item[] | undefined {
  if (typeof input === 'string') return input === '' ? undefined : [{ type: 'message', role: 'user', content: input }];
  if (!Array.isArray(input) || input.length === 0 || !input.every(isUserMessage)) return undefined;
  return input.map((message) => ({ ...message, type: 'message' }));
}

function isUserMessage(value: unknown): value is JsonObject {
  if (!isObject(value) || value.role !== 'user' || (value.type ?? 'message') !== 'message') return false;
  const { content } = value;
  const isPart = (part: unknown): boolean => isObject(part) && PARTS.has(part.type);
  return typeof content === 'string' || (Array.isArray(content) && content.length > 0 && content.every(isPart));
}

const PARTS: ReadonlySet<unknown> = new Set(['input_text', 'input_image', 'input_file']);

/** What names the output that a call waits for. */
function stubOf(item: Item): JsonObject {
  const { type, call_id, name } = item as JsonObject;
  if (type === 'tool_search_call') return { type: 'tool_search_output', call_id, execution: 'client' };
  return { type: `${String(type)}_output`, call_id, ...(type === 'function_call' ? { name } : {}) };
}
