import { isObject } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';
import { isToolCall } from '@turnwire/wire/internal/model/items';
import type { PlanStep } from '../events.ts';
import { outputFor } from './history.ts';
import type { ThreadRecord, ThreadTotals, ToolCall, ToolCallOutput } from './records.ts';
import { guessStatus, readPlan, readTold, toldOfPlaces, type Told, type ToldCall } from './told.ts';
import { NO_TOTALS, totalsAfter } from './totals.ts';

/** What a thread file holds, its first line aside. */
export interface Replayed extends ThreadTotals {
  /** The history: every call in it has an output. */
  readonly items: readonly Item[];
  /** What people were told of the calls. */
  readonly told: Told;
  /** At the last summary. */
  readonly plan: readonly PlanStep[];
  /** Files that were changed until the last summary. */
  readonly changed: readonly string[];
  /** Calls that were started and never finished. */
  readonly interrupted: number;
}

const UNKNOWN_OUTCOME =
  'unknown: the process ended while this tool ran. It may have done all, a part, or nothing of its work; look before you do it again';
const NEVER_RUN = 'not run: the process ended before this tool started';

/** What a thread is, from records that begin where nothing is open. */
export function replay(records: readonly ThreadRecord[]): Replayed {
  const state = new ReplayState();
  for (const record of records) state.take(record);
  state.finish();
  const { items, totals, told, plan, changed, interrupted } = state;
  return { ...totals, items, told, plan, changed, interrupted };
}

class ReplayState {
  items: Item[] = [];
  totals = NO_TOTALS;
  told = new Map<Item, ToldCall>();
  plan: readonly PlanStep[] = [];
  changed: readonly string[] = [];
  interrupted = 0;
  /** Since the last response: a response's line comes after those of its tools. */
  #started: { readonly call: ToolCall; readonly told: ToldCall }[] = [];
  #finished: { readonly output: ToolCallOutput; readonly told: ToldCall }[] = [];

  take(record: ThreadRecord): void {
    this.totals = totalsAfter(this.totals, record);
    switch (record.type) {
      case 'thread':
        break;
      case 'turn.started':
      case 'turn.ended':
        this.finish();
        break;
      case 'input':
        this.finish();
        this.items.push(record.item);
        break;
      case 'tool.started':
        this.#started.push({ call: record.call, told: readTold(record.told) ?? {} });
        break;
      case 'tool.finished':
        this.#finished.push({ output: record.output, told: readTold(record.told) ?? {} });
        break;
      case 'response':
        this.#addResponse(record.items);
        break;
      case 'compacted':
        this.finish();
        this.items = [...record.items];
        this.plan = readPlan(record.plan) ?? [];
        this.changed = Array.isArray(record.changed) ? record.changed.map(String) : [];
        this.told = new Map(toldOfPlaces(record.items, isObject(record.told) ? record.told : {}));
        break;
    }
  }

  /** A response that was cut off by the end of the process: only its calls that were started are known. */
  finish(): void {
    if (this.#started.length > 0) this.#addResponse(this.#started.map(({ call }) => call));
    this.#finished = [];
  }

  #addResponse(items: readonly Item[]): void {
    const outputs = items.filter(isToolCall).map((call) => this.#outputOf(call));
    for (const item of [...items, ...outputs]) this.items.push(item);
    const known = new Set(items.filter(isToolCall).map((call) => call.call_id));
    this.#started = this.#started.filter(({ call }) => !known.has(call.call_id));
  }

  #outputOf(call: ToolCall): ToolCallOutput {
    const start = this.#started.find((one) => one.call.call_id === call.call_id);
    const at = this.#finished.findIndex(({ output }) => output.call_id === call.call_id);
    const finished = at < 0 ? undefined : this.#finished.splice(at, 1)[0];
    const status = guessStatus({ start: start !== undefined, output: finished !== undefined });
    this.told.set(call, { status, ...start?.told, ...finished?.told });
    if (finished !== undefined) return finished.output;
    if (start === undefined) return outputFor(call, NEVER_RUN);
    this.interrupted += 1;
    return outputFor(call, UNKNOWN_OUTCOME);
  }
}
