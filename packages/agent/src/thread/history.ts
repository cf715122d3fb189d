import { isToolCall, type InputMessage, type Item } from '@turnwire/wire/internal/model/items';
import { noJournal, type Journal, type ToolCall, type ToolCallOutput } from './records.ts';

/** What one request to the model brought: its items, and the output of each of its calls in the order of the calls. */
export interface ResponseRecord {
  readonly items: readonly Item[];
  readonly outputs: readonly ToolCallOutput[];
}

/**
 * The conversation that every request carries. Invariant: every call in it has an output behind it, so that any
 * server accepts it, whatever happened in between.
 */
export class History {
  #items: Item[];
  readonly #journal: Journal;

  constructor(items: readonly Item[] = [], journal: Journal = noJournal) {
    this.#items = [...items];
    this.#journal = journal;
  }

  /** A copy, oldest first. */
  get items(): readonly Item[] {
    return [...this.#items];
  }

  async addInput(item: InputMessage): Promise<void> {
    this.#items.push(item);
    await this.#journal.append({ type: 'input', item });
  }

  async addResponse(response: ResponseRecord): Promise<void> {
    if (response.items.length === 0) return;
    for (const item of [...response.items, ...response.outputs]) this.#items.push(item);
    await this.#journal.append({ type: 'response', items: response.items });
  }

  async replace(items: readonly Item[]): Promise<void> {
    this.#items = [...items];
    await this.#journal.append({ type: 'compacted', items }, { durable: true });
  }
}

/** The output item that answers `call`. */
export function outputFor(call: ToolCall, text: string): ToolCallOutput {
  const type = call.type === 'function_call' ? 'function_call_output' : 'custom_tool_call_output';
  return { type, call_id: call.call_id, output: text };
}

/** A message of the user in the shape that both wires take. */
export function userMessage(text: string): InputMessage {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

/** Items with an output for each call that has none: for a history of unknown origin. */
export function withEveryOutput(items: readonly Item[], missing: string): Item[] {
  const answered = new Set(items.map(outputCallId).filter((id) => id !== undefined));
  return items.flatMap((item) =>
    isToolCall(item) && !answered.has(item.call_id) ? [item, outputFor(item, missing)] : [item],
  );
}

function outputCallId(item: Item): string | undefined {
  if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') return undefined;
  return typeof item.call_id === 'string' ? item.call_id : undefined;
}
