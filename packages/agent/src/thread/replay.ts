import { isObject, parseOwnJson } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';
import { isToolCall } from '@turnwire/wire/internal/model/items';
import { addUsage, type Usage } from '@turnwire/wire/internal/model/usage';
import type { PlanStep } from '../events.ts';
import { outputFor } from './history.ts';
import { readModelServer, type ModelServer } from './model-server.ts';
import type { ThreadHeader, ThreadRecord, ToolCall, ToolCallOutput } from './records.ts';
import { guessStatus, readPlan, readTold, readUsage, toldOfPlaces, type Told, type ToldCall } from './told.ts';

/** What a thread file holds. */
export interface Replayed {
  readonly header: ThreadHeader | undefined;
  /** The history: every call in it has an output. */
  readonly items: readonly Item[];
  readonly turns: number;
  /** What people were told of the calls. */
  readonly told: Told;
  /** Sum over the turns. */
  readonly usage: Usage | undefined;
  /** At the last summary. */
  readonly plan: readonly PlanStep[];
  /** Files that were changed until the last summary. */
  readonly changed: readonly string[];
  /** That of the last turn, where it is known. */
  readonly server: ModelServer | undefined;
  /** What was not as it should be, one line each, for the person. */
  readonly notes: readonly string[];
}

const UNKNOWN_OUTCOME =
  'unknown: the process ended while this tool ran. It may have done all, a part, or nothing of its work; look before you do it again';
const NEVER_RUN = 'not run: the process ended before this tool started';

/** Reads a thread file from its text. Lines that cannot be read are skipped and reported in `notes`. */
export function replay(text: string): Replayed {
  const state = new ReplayState();
  const notes: string[] = [];
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    if (line === '') return;
    const record = parseRecord(line);
    if (record !== undefined) state.take(record);
    else if (index === lines.length - 1) notes.push('the last line was not written to its end; it is left out');
    else notes.push(`line ${index + 1} cannot be read; it is left out`);
  });
  state.finish();
  if (state.interrupted > 0) {
    notes.push(`${state.interrupted} tool call(s) were running when the process ended; they are not run again`);
  }
  const { header, items, turns, told, usage, server, plan, changed } = state;
  return { header, items, turns, told, usage, server, plan, changed, notes };
}

function parseRecord(line: string): ThreadRecord | undefined {
  const value = parseOwnJson(line);
  return isObject(value) && isRecord(value) ? value : undefined;
}

/** Checks the fields that the replay stands on. */
function isRecord(value: Record<string, unknown>): value is Record<string, unknown> & ThreadRecord {
  switch (value.type) {
    case 'thread':
      return value.version === 1 && typeof value.id === 'string' && typeof value.cwd === 'string';
    case 'turn.started':
      return typeof value.turn === 'number';
    case 'input':
      return isItem(value.item);
    case 'tool.started':
      return isItem(value.call) && isToolCall(value.call);
    case 'tool.finished':
      return isItem(value.output);
    case 'response':
    case 'compacted':
      return Array.isArray(value.items) && value.items.every(isItem);
    case 'turn.ended':
      return true;
    default:
      return false;
  }
}

function isItem(value: unknown): value is Item {
  return isObject(value) && typeof value.type === 'string';
}

class ReplayState {
  header: ThreadHeader | undefined;
  items: Item[] = [];
  turns = 0;
  told = new Map<Item, ToldCall>();
  usage: Usage | undefined;
  plan: readonly PlanStep[] = [];
  changed: readonly string[] = [];
  server: ModelServer | undefined;
  /** Calls that were started and never finished. */
  interrupted = 0;
  /** Since the last response: a response's line comes after those of its tools. */
  #started: { readonly call: ToolCall; readonly told: ToldCall }[] = [];
  #finished: { readonly output: ToolCallOutput; readonly told: ToldCall }[] = [];

  take(record: ThreadRecord): void {
    switch (record.type) {
      case 'thread':
        this.header = record;
        break;
      case 'turn.started':
        this.finish();
        this.turns = record.turn;
        this.server = readModelServer(record.server);
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
      case 'turn.ended':
        this.finish();
        this.usage = addUsage(this.usage, readUsage(record.usage));
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
