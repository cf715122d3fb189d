import { ModelError } from '@turnwire/wire/internal/model/errors';
import { isAssistantMessage, type InputMessage, type Item } from '@turnwire/wire/internal/model/items';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import { SUMMARY_ASK, SUMMARY_HEAD } from '@turnwire/wire/internal/model/summary';
import { TranscriptBuilder } from '@turnwire/wire/internal/model/transcript-builder';
import { userMessage, withEveryOutput } from '../thread/history.ts';
import type { TurnModel } from '../model-port.ts';

/** Part of the window at which the history is summarised before the next request. */
const FILL_LIMIT = 0.85;
/** Part of the window that the latest messages of the user may keep, word for word; the open calls may have as much. */
const KEEP_PART = 0.1;
/** When nobody said how large the window is. */
const DEFAULT_KEEP_TOKENS = 4000;
/** A coarse mean over languages and code; only used where the server told no usage. */
const CHARS_PER_TOKEN = 4;
/** How often the oldest half may be left out when even the request for a summary is too long. */
const MAX_HALVINGS = 4;

/** Tokens that `items` will take, roughly. */
export function estimateTokens(items: readonly Item[], instructions = ''): number {
  return Math.ceil((instructions.length + JSON.stringify(items).length) / CHARS_PER_TOKEN);
}

/** True when a history of `tokens` leaves too little of `window` (in tokens; `undefined`: unknown, never). */
export function isNearlyFull(tokens: number, window: number | undefined): boolean {
  return window !== undefined && tokens >= window * FILL_LIMIT;
}

function keptTokens(window: number | undefined): number {
  return window === undefined ? DEFAULT_KEEP_TOKENS : window * KEEP_PART;
}

/** Bytes that what is kept of the open calls may have, in a window of so many tokens. */
export function openCallBytes(window: number | undefined): number {
  return keptTokens(window) * CHARS_PER_TOKEN;
}

export interface CompactionOptions {
  readonly model: TurnModel;
  readonly instructions: string | undefined;
  /** In tokens. */
  readonly contextWindow: number | undefined;
  readonly signal: AbortSignal;
  /** What stands below the summary, whatever the model wrote in it: the plan, the files that were changed, the open calls. Default: nothing. */
  readonly work?: string;
}

/**
 * A shorter history with the same meaning: the latest messages of the user and a summary written by the model. Costs
 * one request, more when the history is too long to be summarised at once. Fails with the model's error.
 */
export async function compact(items: readonly Item[], options: CompactionOptions): Promise<readonly Item[]> {
  const summary = await summarise(items, options, MAX_HALVINGS);
  return [
    ...latestUserMessages(items, keptTokens(options.contextWindow)),
    userMessage([SUMMARY_HEAD, summary, ...(options.work ? [options.work] : [])].join('\n\n')),
  ];
}

async function summarise(items: readonly Item[], options: CompactionOptions, halvings: number): Promise<string> {
  try {
    return await askForSummary(items, options);
  } catch (error) {
    const tooLong = error instanceof ModelError && error.kind === 'context_window_exceeded';
    if (!tooLong || halvings === 0 || items.length < 2) throw error;
    return summarise(laterHalf(items), options, halvings - 1);
  }
}

async function askForSummary(items: readonly Item[], options: CompactionOptions): Promise<string> {
  const { instructions, signal } = options;
  const request: ModelRequest = {
    ...(instructions === undefined ? {} : { instructions }),
    input: [...items, userMessage(SUMMARY_ASK)],
  };
  const transcript = new TranscriptBuilder();
  for await (const batch of options.model.stream(request, { signal })) {
    for (const event of batch) transcript.take(event);
  }
  const parts = transcript.items.filter(isAssistantMessage).flatMap((message) => message.content);
  const text = parts.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
  if (text.trim() !== '') return text;
  throw new ModelError({ kind: 'protocol', message: 'the model gave no summary of the conversation' });
}

/** The later half, with no output whose call was left out, and no call whose output was. */
function laterHalf(items: readonly Item[]): Item[] {
  const rest = items.slice(Math.ceil(items.length / 2));
  const calls = new Set(rest.filter((item) => String(item.type).endsWith('_call')).map(callIdOf));
  const whole = rest.filter((item) => !String(item.type).endsWith('_call_output') || calls.has(callIdOf(item)));
  return withEveryOutput(whole, 'the output was left out');
}

function callIdOf(item: Item): unknown {
  return 'call_id' in item ? item.call_id : undefined;
}

function latestUserMessages(items: readonly Item[], keepTokens: number): Item[] {
  const kept: Item[] = [];
  let tokens = 0;
  for (const item of [...items].reverse()) {
    if (!isUserMessage(item) || isSummary(item)) continue;
    tokens += estimateTokens([item]);
    if (tokens > keepTokens) break;
    kept.unshift(item);
  }
  return kept;
}

function isUserMessage(item: Item): item is InputMessage {
  return item.type === 'message' && item.role === 'user';
}

function isSummary(item: InputMessage): boolean {
  return JSON.stringify(item.content).includes(SUMMARY_HEAD);
}
