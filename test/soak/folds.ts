import { isObject, stringOf, type JsonObject } from '../../packages/wire/src/base/json.ts';
import { createMessagesValidator, createOrderValidator, type ProtocolId } from '../../packages/wire/src/index.ts';
import type { Call } from './script.ts';

/** What a client makes of an answer, read without anything of turnwire's decoders. */
export interface Fold {
  /** An event of the stream. */
  take(event: JsonObject): void;
  /** The answer as one body. */
  whole(body: JsonObject): void;
  /** `completed`, or how else it ended; undefined: it did not. */
  readonly end: string | undefined;
  readonly text: string;
  readonly calls: readonly Call[];
  readonly responseId: string | undefined;
  /** The number of the last event, where they have numbers. */
  readonly sequence: number | undefined;
  /** What is against the rules of the wire. */
  readonly problems: readonly string[];
}

export const folds: Readonly<Record<ProtocolId, () => Fold>> = {
  chat: () => new ChatFold(),
  responses: () => new ResponsesFold(),
  messages: () => new MessagesFold(),
};

abstract class BaseFold {
  text = '';
  end: string | undefined;
  responseId: string | undefined;
  sequence: number | undefined;
  readonly problems: string[] = [];

  protected finish(how: string): void {
    if (this.end !== undefined) this.problems.push(`it ended as ${this.end}, and as ${how}`);
    this.end = how;
  }
}

const list = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const member = (value: unknown, name: string): JsonObject => {
  const found = isObject(value) ? value[name] : undefined;
  return isObject(found) ? found : {};
};
const codeOf = (error: unknown): string => {
  const { code, type } = isObject(error) ? error : {};
  return `error:${stringOf(code) ?? stringOf(type) ?? 'unknown'}`;
};

const CHAT_ENDS: Readonly<Record<string, string>> = {
  stop: 'completed',
  tool_calls: 'completed',
  length: 'incomplete',
};

class ChatFold extends BaseFold implements Fold {
  readonly #calls: { name: string; arguments: string }[] = [];
  #finish: string | undefined;

  get calls(): readonly Call[] {
    return this.#calls;
  }

  take(event: JsonObject): void {
    if (event['type'] === '[DONE]') {
      this.finish(this.#finish ?? 'nothing');
      return;
    }
    if (this.end !== undefined) this.problems.push('an event behind the end');
    if (event['error'] !== undefined) this.finish(codeOf(event['error']));
    for (const choice of list(event['choices'])) this.#takeChoice(choice, member(choice, 'delta'));
  }

  whole(body: JsonObject): void {
    for (const choice of list(body['choices'])) {
      const message = member(choice, 'message');
      this.#takeChoice(choice, {
        ...message,
        tool_calls: list(message['tool_calls']).map((call, index) => ({ ...call, index })),
      });
    }
    this.finish(this.#finish ?? 'nothing');
  }

  #takeChoice(choice: JsonObject, delta: JsonObject): void {
    this.text += stringOf(delta['content']) ?? '';
    for (const call of list(delta['tool_calls'])) {
      const own = member(call, 'function');
      const known = (this.#calls[Number(call['index'])] ??= { name: '', arguments: '' });
      known.name += stringOf(own['name']) ?? '';
      known.arguments += stringOf(own['arguments']) ?? '';
    }
    const finish = stringOf(choice['finish_reason']);
    if (finish === undefined) return;
    if (this.#finish !== undefined) this.problems.push('two finish reasons');
    this.#finish = CHAT_ENDS[finish] ?? finish;
  }
}

class ResponsesFold extends BaseFold implements Fold {
  readonly #order = createOrderValidator();
  readonly #done: JsonObject[] = [];

  get calls(): readonly Call[] {
    return callItems(this.#done);
  }

  take(event: JsonObject): void {
    if (event['type'] !== 'error') this.problems.push(...this.#order.accept(event).map(({ message }) => message));
    this.sequence = Number(event['sequence_number']);
    switch (event['type']) {
      case 'response.created':
        this.responseId = stringOf(member(event, 'response')['id']);
        return;
      case 'response.output_text.delta':
        this.text += stringOf(event['delta']) ?? '';
        return;
      case 'response.output_item.done':
        this.#done.push(member(event, 'item'));
        return;
      case 'response.completed':
      case 'response.failed':
      case 'response.incomplete':
        this.#end(member(event, 'response'));
        return;
      case 'error':
        this.finish(codeOf(isObject(event['error']) ? event['error'] : event));
        return;
      default:
        return;
    }
  }

  whole(body: JsonObject): void {
    this.responseId = stringOf(body['id']);
    this.#done.push(...list(body['output']));
    this.text = textOfItems(this.#done);
    this.#finishAs(body);
  }

  #end(response: JsonObject): void {
    const output = list(response['output']);
    this.#finishAs(response);
    if (this.end !== 'completed') return;
    if (textOfItems(output) !== this.text) this.problems.push('the deltas are not the text of the response');
    if (JSON.stringify(callItems(output)) !== JSON.stringify(this.calls))
      this.problems.push('the calls are not those of the response');
  }

  #finishAs(response: JsonObject): void {
    const status = stringOf(response['status']) ?? 'nothing';
    this.finish(status === 'failed' ? codeOf(response['error']) : status);
  }
}

function textOfItems(items: readonly JsonObject[]): string {
  const parts = items.filter(({ type }) => type === 'message').flatMap(({ content }) => list(content));
  return parts.map((part) => stringOf(part['text']) ?? '').join('');
}

function callItems(items: readonly JsonObject[]): readonly Call[] {
  return items
    .filter(({ type }) => type === 'function_call')
    .map((item) => ({ name: stringOf(item['name']) ?? '', arguments: stringOf(item['arguments']) ?? '' }));
}

const MESSAGES_ENDS: Readonly<Record<string, string>> = {
  end_turn: 'completed',
  tool_use: 'completed',
  max_tokens: 'incomplete',
};

class MessagesFold extends BaseFold implements Fold {
  readonly #order = createMessagesValidator();
  readonly #calls: { name: string; arguments: string }[] = [];
  #reason: string | undefined;

  get calls(): readonly Call[] {
    return this.#calls;
  }

  take(event: JsonObject): void {
    this.problems.push(...this.#order.accept(event).map(({ message }) => message));
    switch (event['type']) {
      case 'content_block_start':
        this.#open(member(event, 'content_block'));
        return;
      case 'content_block_delta':
        this.#delta(member(event, 'delta'));
        return;
      case 'message_delta':
        this.#reason = stringOf(member(event, 'delta')['stop_reason']);
        return;
      case 'message_stop':
        this.finish(MESSAGES_ENDS[this.#reason ?? ''] ?? this.#reason ?? 'nothing');
        return;
      case 'error':
        this.finish(codeOf(event['error']));
        return;
      default:
        return;
    }
  }

  whole(body: JsonObject): void {
    for (const block of list(body['content'])) {
      this.text += stringOf(block['text']) ?? '';
      if (block['type'] === 'tool_use') {
        this.#calls.push({ name: stringOf(block['name']) ?? '', arguments: JSON.stringify(block['input']) });
      }
    }
    const reason = stringOf(body['stop_reason']) ?? 'nothing';
    this.finish(MESSAGES_ENDS[reason] ?? reason);
  }

  #open(block: JsonObject): void {
    if (block['type'] === 'tool_use') this.#calls.push({ name: stringOf(block['name']) ?? '', arguments: '' });
  }

  #delta(delta: JsonObject): void {
    this.text += stringOf(delta['text']) ?? '';
    const last = this.#calls.at(-1);
    if (last !== undefined) last.arguments += stringOf(delta['partial_json']) ?? '';
  }
}
