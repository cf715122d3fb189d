import { isToolCall, type InputMessage, type Item } from '@turnwire/wire/internal/model/items';
import type { PlanStep } from '../events.ts';
import { noJournal, type AgentThread, type Journal, type ToolCall, type ToolCallOutput } from './records.ts';
import { changedFiles, planOf, toldByPlace, type Told, type ToldCall } from './told.ts';

/** What one request to the model brought: its items, and the output of each of its calls in the order of the calls. */
export interface ResponseRecord {
  readonly items: readonly Item[];
  readonly outputs: readonly ToolCallOutput[];
  /** What people were told of its calls. */
  readonly told: Told;
}

/**
 * The conversation that every request carries. Invariant: every call in it has an output behind it, so that any
 * server accepts it, whatever happened in between.
 */
export class History {
  #items: Item[];
  #told: Map<Item, ToldCall>;
  #plan: readonly PlanStep[];
  #changed: readonly string[];
  readonly #journal: Journal;

  constructor(
    items: readonly Item[] = [],
    journal: Journal = noJournal,
    { told = new Map(), plan = [], changed = [] }: Pick<AgentThread, 'told' | 'plan' | 'changed'> = {},
  ) {
    this.#items = [...items];
    this.#told = new Map(told);
    this.#plan = planOf(told) ?? plan;
    this.#changed = changedFiles(changed, told);
    this.#journal = journal;
  }

  /** A copy, oldest first. */
  get items(): readonly Item[] {
    return [...this.#items];
  }

  /** What people were told of its calls. */
  get told(): Told {
    return this.#told;
  }

  /** The model's own; empty when it has none. */
  get plan(): readonly PlanStep[] {
    return this.#plan;
  }

  /** The files that its patches changed, absolute, the latest last. */
  get changed(): readonly string[] {
    return this.#changed;
  }

  async addInput(item: InputMessage): Promise<void> {
    this.#items.push(item);
    await this.#journal.append({ type: 'input', item });
  }

  async addResponse(response: ResponseRecord): Promise<void> {
    if (response.items.length === 0) return;
    for (const item of [...response.items, ...response.outputs]) this.#items.push(item);
    for (const [call, told] of response.told) this.#told.set(call, told);
    this.#plan = planOf(response.told) ?? this.#plan;
    this.#changed = changedFiles(this.#changed, response.told);
    await this.#journal.append({ type: 'response', items: response.items });
  }

  async replace(items: readonly Item[]): Promise<void> {
    const told = toldByPlace(items, this.#told);
    this.#items = [...items];
    this.#told = new Map([...this.#told].filter(([call]) => items.includes(call)));
    await this.#journal.append(
      { type: 'compacted', items, told, plan: this.#plan, changed: this.#changed },
      { durable: true },
    );
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
