import { JsonEnd } from '../../base/json-end.ts';
import { isObject, nonEmpty, stringOf, type JsonObject } from '../../base/json.ts';
import { chatAnswers } from '../../chat/answers.ts';
import { createChatEncoder } from '../../chat/encode.ts';
import type { WireEvent } from '../../encode-event.ts';
import type { AnswerEncoder } from '../../protocol.ts';
import type { Asked, Health, HealingWire, Minting } from '../wire.ts';

/** A call as far as it went on as it came. */
interface Call {
  /** Its arguments so far are whole JSON: nothing may follow. */
  whole: boolean;
  readonly end: JsonEnd;
}

const SENTINEL: WireEvent = { type: '[DONE]', data: '[DONE]' };

/** The `openai` package takes these event lines for something else: an error, and an event of its Assistants API. */
const MISLEADING = /^event: ?(?:error|thread\.)/;

/** What a stream has told, event by event. */
interface Told {
  readonly finish: boolean;
  readonly error: boolean;
  readonly usage: boolean;
  readonly sentinel: boolean;
}

/** Chat Completions, as `openai`, the AI SDK and LangChain read it. */
class ChatHealth implements Health {
  readonly #asked: Asked;
  #first: JsonObject | undefined;
  #hasRole = false;
  #seen: Told = { finish: false, error: false, usage: false, sentinel: false };
  /** The same of what went on as it came. */
  #told = this.#seen;
  #reasoningField: 'reasoning_content' | 'reasoning' = 'reasoning_content';
  readonly #calls: Call[] = [];

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  get toldEnd(): boolean {
    return this.#told.finish || this.#told.error;
  }

  isGood(chunk: JsonObject | undefined, data: string, eventLine: string | undefined): boolean {
    const { finish, sentinel } = this.#seen;
    if (data.trim() === SENTINEL.data) {
      this.#note({ sentinel: true });
      return finish;
    }
    if (chunk === undefined || sentinel) return false;
    if (eventLine !== undefined && MISLEADING.test(eventLine)) return false;
    if (isObject(chunk.error)) {
      this.#note({ error: true });
      return !finish && stringOf(chunk.error.message) !== undefined;
    }
    if (!Array.isArray(chunk.choices)) return false;
    this.#first ??= chunk;
    return this.isGoodAgain(chunk);
  }

  isGoodAgain({ choices, usage }: JsonObject): boolean {
    if (isObject(usage)) this.#note({ usage: true });
    return Array.isArray(choices) && (choices as unknown[]).every((choice) => this.#isGoodChoice(choice));
  }

  wentOn(): void {
    this.#told = this.#seen;
  }

  /** Fragments of calls are all looked at: what they are depends on those before. */
  mayRepeat(chunk: JsonObject): boolean {
    const choices: unknown = chunk.choices;
    const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
    return isObject(choice) && isObject(choice.delta) && choice.delta.tool_calls === undefined;
  }

  closing(hasUsage: boolean): readonly WireEvent[] | undefined {
    const { finish, error, usage, sentinel } = this.#told;
    if (sentinel || error) return [];
    return finish && (usage || !hasUsage || !this.#asked.usageEvent) ? [SENTINEL] : undefined;
  }

  hasTold({ type, data }: WireEvent): boolean {
    const { finish, usage, sentinel } = this.#told;
    if (type === SENTINEL.type) return sentinel;
    return data.includes('"choices":[]') ? usage : finish && data.includes('"finish_reason":"');
  }

  createEncoder({ id, now }: Minting): AnswerEncoder {
    const { model, usageEvent } = this.#asked;
    const first = this.#first ?? {};
    return createChatEncoder({
      id: nonEmpty(first.id) ?? id(chatAnswers.answerPrefix),
      createdAt: typeof first.created === 'number' ? first.created : now(),
      model: nonEmpty(first.model) ?? model,
      includeUsage: usageEvent,
      reasoningField: this.#reasoningField,
    });
  }

  continued(events: readonly WireEvent[]): readonly WireEvent[] {
    return events;
  }

  #note(told: Partial<Told>): void {
    this.#seen = { ...this.#seen, ...told };
  }

  #isGoodChoice(choice: unknown): boolean {
    if (!isObject(choice) || !Number.isInteger(choice.index) || !isObject(choice.delta)) return false;
    const isGood = this.#asked.severalChoices || (choice.index === 0 && this.#isGoodDelta(choice.delta));
    if (choice.finish_reason !== null && choice.finish_reason !== undefined) this.#note({ finish: true });
    return isGood;
  }

  #isGoodDelta(delta: JsonObject): boolean {
    if (this.#seen.finish) return !Object.values(delta).some(saysSomething);
    // The helper of the `openai` package throws at an answer that nobody said.
    this.#hasRole ||= delta.role === 'assistant';
    if (typeof delta.reasoning === 'string' && typeof delta.reasoning_content !== 'string') {
      this.#reasoningField = 'reasoning';
    }
    const { content, tool_calls: fragments } = delta;
    if (content !== null && content !== undefined && typeof content !== 'string') return false;
    if (fragments === null || fragments === undefined) return this.#hasRole;
    return (
      this.#hasRole && Array.isArray(fragments) && (fragments as unknown[]).every((one) => this.#isGoodFragment(one))
    );
  }

  /** Clients put calls together by their index alone, some join each name and id that they see. */
  #isGoodFragment(fragment: unknown): boolean {
    if (!isObject(fragment) || typeof fragment.index !== 'number') return false;
    const body = fragment.type === 'custom' ? fragment.custom : (fragment.function ?? {});
    if (!isObject(body)) return false;
    const isNew = fragment.index === this.#calls.length;
    const [id, name] = [nonEmpty(fragment.id), nonEmpty(body.name)];
    if (isNew ? id === undefined || name === undefined || fragment.type === undefined : (id ?? name) !== undefined)
      return false;
    if (isNew) this.#calls.push({ whole: false, end: new JsonEnd() });
    const call = this.#calls[fragment.index];
    return call !== undefined && isMore(call, body.arguments ?? body.input ?? '', fragment.type === 'custom');
  }
}

/** Whether a piece of arguments may follow those before it. */
function isMore(call: Call, piece: unknown, isCustom: boolean): boolean {
  if (typeof piece !== 'string') return false;
  if (isCustom || piece === '') return true;
  if (call.whole) return false;
  const end = call.end.endIn(piece);
  call.whole = end >= 0;
  return end < 0 || piece.slice(end).trim() === '';
}

function saysSomething(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && value !== 'assistant' && !isEmptyList(value);
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Chat Completions. */
export const chat: HealingWire = {
  answers: chatAnswers,
  // The old functions are answered by calls of another kind, which nobody here writes.
  isRequest: (body) => Array.isArray(body.messages) && body.functions === undefined,
  readAsked: (body) => ({
    stream: body.stream === true,
    tokenLimit: [body.max_tokens, body.max_completion_tokens].some((limit) => typeof limit === 'number'),
    model: nonEmpty(body.model),
    usageEvent: isObject(body.stream_options) && body.stream_options.include_usage === true,
    severalChoices: typeof body.n === 'number' && body.n > 1,
    stored: false,
  }),
  createHealth: (asked) => new ChatHealth(asked),
  isBody: ({ choices }) => Array.isArray(choices) && choices.length > 0 && (choices as unknown[]).every(isGoodWhole),
  isErrorBody: ({ error }) => isObject(error) && stringOf(error.message) !== undefined,
  loudly: () => [],
};

function isGoodWhole(choice: unknown): boolean {
  if (!isObject(choice) || !isObject(choice.message) || nonEmpty(choice.finish_reason) === undefined) return false;
  const { content, tool_calls: calls } = choice.message;
  if (content !== null && content !== undefined && typeof content !== 'string') return false;
  return calls === null || calls === undefined || (Array.isArray(calls) && (calls as unknown[]).every(isGoodCall));
}

function isGoodCall(call: unknown): boolean {
  if (!isObject(call) || nonEmpty(call.id) === undefined) return false;
  if (call.type === 'custom') return isObject(call.custom);
  return isObject(call.function) && nonEmpty(call.function.name) !== undefined && isWholeText(call.function.arguments);
}

/** Clients parse the arguments unseen. */
function isWholeText(text: unknown): boolean {
  return typeof text === 'string' && new JsonEnd().endIn(text) === text.trimEnd().length;
}
