import type { Usage } from '@turnwire/wire/internal/model/events';
import type { Match, Reply, ReplyError, ReplyPart, Scenario, ToolCallPart, Turn } from './scenario.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface OpenReply extends Omit<Mutable<Reply>, 'parts'> {
  readonly parts: ReplyPart[];
}

interface OpenTurn {
  readonly when: Match | undefined;
  readonly replies: OpenReply[];
}

/** Writes a scenario call by call: parts go to the current reply, `next` begins the reply to the tool outputs. */
export class ScenarioBuilder {
  readonly #name: string | undefined;
  readonly #turns: OpenTurn[] = [];
  #model: string | undefined;

  constructor(name?: string) {
    this.#name = name;
  }

  /** The model that the mock says it serves. */
  model(name: string): this {
    this.#model = name;
    return this;
  }

  /** Text of the answer; `chunk`: UTF-16 code units per delta, default a word. */
  text(text: string, options: { readonly chunk?: number } = {}): this {
    return this.#part({ type: 'text', text, ...options });
  }

  reasoning(text: string, options: { readonly chunk?: number; readonly summary?: boolean } = {}): this {
    return this.#part({ type: 'reasoning', text, ...options });
  }

  refusal(text: string): this {
    return this.#part({ type: 'refusal', text });
  }

  /** A call of a function tool; the arguments are a value, or JSON text to be sent as it is. */
  toolCall(name: string, args: unknown = {}, options: Omit<ToolCallPart, 'type' | 'name' | 'arguments'> = {}): this {
    return this.#part({ type: 'tool_call', name, arguments: args, ...options });
  }

  /** A call of a custom (freeform) tool. */
  customToolCall(
    name: string,
    input: string,
    options: { readonly callId?: string; readonly chunk?: number } = {},
  ): this {
    return this.#part({ type: 'tool_call', name, arguments: input, custom: true, ...options });
  }

  /** Any other output item (Responses wire only). */
  item(item: Readonly<Record<string, unknown>>): this {
    return this.#part({ type: 'item', item: { ...item } });
  }

  /** Ends the current reply with this error after its parts; with a `status`, answers with it instead. */
  error(error: ReplyError): this {
    return this.#set({ error });
  }

  /** Token counts of the current reply; `null`: the answer has none. */
  usage(usage: Usage | null): this {
    return this.#set({ usage });
  }

  finish(finish: NonNullable<Reply['finish']>): this {
    return this.#set({ finish });
  }

  /** Milliseconds before the head, and between two events, of the current reply. */
  pace(pace: { readonly delayMs?: number; readonly paceMs?: number }): this {
    return this.#set(pace);
  }

  /** Response headers of the current reply. */
  headers(headers: Readonly<Record<string, string>>): this {
    return this.#set({ headers });
  }

  /** Faults of the current reply alone, e.g. `finish-then-hold`. */
  faults(...faults: readonly string[]): this {
    return this.#set({ faults });
  }

  /** Begins the reply to the outputs of the calls made so far. */
  next(): this {
    this.#turn().replies.push({ parts: [] });
    return this;
  }

  /** Begins the answer to the next user message. */
  turn(): this {
    this.#turns.push({ when: undefined, replies: [{ parts: [] }] });
    return this;
  }

  /** Begins the answer to a user message that matches. */
  when(match: Match): this {
    this.#turns.push({ when: match, replies: [{ parts: [] }] });
    return this;
  }

  /** The scenario as it stands. */
  build(): Scenario {
    return {
      ...(this.#name === undefined ? {} : { name: this.#name }),
      ...(this.#model === undefined ? {} : { model: this.#model }),
      turns: this.#turns.map(toTurn),
    };
  }

  #turn(): OpenTurn {
    const turn = this.#turns.at(-1) ?? { when: undefined, replies: [{ parts: [] }] };
    if (this.#turns.length === 0) this.#turns.push(turn);
    return turn;
  }

  #reply(): OpenReply {
    const { replies } = this.#turn();
    const reply = replies.at(-1) ?? { parts: [] };
    if (replies.length === 0) replies.push(reply);
    return reply;
  }

  #part(part: ReplyPart): this {
    this.#reply().parts.push(part);
    return this;
  }

  #set(fields: Partial<Omit<Reply, 'parts'>>): this {
    Object.assign(this.#reply(), fields);
    return this;
  }
}

function toTurn({ when, replies }: OpenTurn): Turn {
  const copies = replies.map((reply) => ({ ...reply, parts: [...reply.parts] }));
  return { ...(when === undefined ? {} : { when }), replies: copies };
}

/**
 * Begins a scenario.
 *
 * @example
 * ```ts
 * const weather = scenario('weather')
 *   .reasoning('I need the weather.')
 *   .toolCall('get_weather', { city: 'Oslo' })
 *   .next()
 *   .text('It rains.');
 * await using server = await startMock({ scenario: weather });
 * ```
 */
export function scenario(name?: string): ScenarioBuilder {
  return new ScenarioBuilder(name);
}
