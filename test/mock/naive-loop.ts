import { nothing, post, type MessagesEvent, type Naive, type Outcome } from './outcome.ts';

interface Call {
  id?: string | undefined;
  name: string;
  arguments: string;
}

export interface State {
  outcome: Outcome;
  calls: Call[];
  done: boolean;
  finish: string | undefined;
  /** Messages: the blocks by their index. */
  blocks: Block[];
}

/** A content block of the Messages wire, as it is put together. */
export interface Block {
  type: string;
  id: string | undefined;
  name: string;
  text: string;
  input: string;
  signature: string;
}

export const newState = (): State => ({ outcome: nothing(), calls: [], done: false, finish: undefined, blocks: [] });

export interface Fragment {
  index: number;
  id?: string;
  function?: { name?: string; arguments?: string };
}

interface Delta {
  content?: string | null;
  reasoning_content?: string;
  reasoning?: string;
  tool_calls?: Fragment[];
}

interface Chunk {
  choices: { delta?: Delta; finish_reason?: string | null }[];
  usage?: { total_tokens: number } | null;
}

interface Item {
  type: string;
  id?: string;
  call_id?: string;
  name: string;
  arguments: string;
  content: { text: string }[];
}

interface Event {
  type: string;
  delta?: string;
  item_id?: string;
  item?: Item;
  response?: { usage?: { total_tokens: number; input_tokens_details: { cached_tokens: number } } };
}

export interface Beliefs {
  fatal?: boolean;
  keepBom?: boolean;
  /** Sees each event's lines. */
  lines?: (lines: string[]) => void;
  /** Reads one chat chunk; the default is the plain way. */
  chat?: (chunk: Chunk, state: State) => void;
  call?: (fragment: Fragment, state: State) => void;
  responses?: (event: Event, state: State) => void;
  messages?: (event: MessagesEvent, state: State) => void;
  response?: (response: Response) => void;
  end?: (state: State) => void;
  parseSentinel?: boolean;
  timeoutMs?: number;
  severalChunks?: boolean;
}

export function readChat(chunk: Chunk, state: State, beliefs: Beliefs): void {
  const { outcome } = state;
  const choice = chunk.choices[0];
  if (chunk.usage) outcome.usage = chunk.usage.total_tokens;
  if (choice === undefined) return;
  const delta = choice.delta!;
  outcome.text += delta.content ?? '';
  outcome.reasoning += delta.reasoning_content ?? '';
  for (const fragment of delta.tool_calls ?? []) (beliefs.call ?? byIndex)(fragment, state);
  state.finish ??= choice.finish_reason ?? undefined;
}

export function byIndex(fragment: Fragment, state: State): void {
  const call = (state.calls[fragment.index] ??= { name: '', arguments: '' });
  if (call.name === '') call.name = fragment.function?.name ?? '';
  call.arguments += fragment.function?.arguments ?? '';
}

export function readResponses(event: Event, state: State): void {
  const { type, item } = event;
  if (type === 'response.output_text.delta') state.outcome.text += String(event.delta);
  if (type === 'response.output_item.done' && item?.type === 'function_call') {
    state.calls.push({ name: item.name, arguments: item.arguments });
  }
  if (type === 'response.completed') state.outcome.usage = event.response?.usage?.total_tokens;
}

/** Block by block, each by its index; a block counts once it is closed. */
export function readMessages(event: MessagesEvent, state: State): void {
  const { type, index, content_block: block, delta } = event;
  if (type === 'content_block_start') state.blocks[index] = newBlock(block);
  if (type === 'content_block_delta') fill(state.blocks[index]!, delta);
  if (type === 'content_block_stop') keep(state.blocks[index]!, state);
  if (type === 'message_delta') readEnd(event, state);
  if (type === 'message_stop') state.done = true;
}

export function newBlock({ type, id, name }: MessagesEvent['content_block']): Block {
  return { type, id, name, text: '', input: '', signature: '' };
}

export function fill(block: Block, { text, thinking, partial_json: json, signature }: MessagesEvent['delta']): void {
  block.text += text ?? thinking ?? '';
  block.input += json ?? '';
  block.signature += signature ?? '';
}

export function keep({ type, id, name, text, input }: Block, { outcome, calls }: State): void {
  if (type === 'text') outcome.text += text;
  if (type === 'thinking') outcome.reasoning += text;
  if (type === 'tool_use') calls.push({ id, name, arguments: input });
}

export function readEnd({ delta, usage }: MessagesEvent, state: State): void {
  state.finish = delta.stop_reason ?? undefined;
  state.outcome.usage = usage.input_tokens + usage.output_tokens;
}

export function believing(beliefs: Beliefs): Naive {
  return async (baseUrl, wire) => {
    const signal = beliefs.timeoutMs === undefined ? null : AbortSignal.timeout(beliefs.timeoutMs);
    const response = await post(baseUrl, wire, signal);
    beliefs.response?.(response);
    const state = newState();
    const decoder = new TextDecoder('utf-8', { fatal: beliefs.fatal ?? false, ignoreBOM: beliefs.keepBom ?? false });
    let buffer = '';
    let chunks = 0;
    for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
      buffer += decoder.decode(bytes, { stream: true });
      const events = buffer.split('\n\n');
      buffer = events.pop()!;
      chunks++;
      for (const event of events) readEvent(event, wire, state, beliefs);
      if (state.done) break;
    }
    if (beliefs.severalChunks === true && chunks < 2) throw new Error('not streamed');
    beliefs.end?.(state);
    state.outcome.calls = state.calls.map((call) => `${call.name}(${call.arguments})`);
    return state.outcome;
  };
}

export function readEvent(event: string, wire: string, state: State, beliefs: Beliefs): void {
  const lines = event.split('\n');
  beliefs.lines?.(lines);
  const data = lines.find((line) => line.startsWith('data: '))?.slice(6);
  if (data === undefined || state.done) return;
  if (data === '[DONE]' && beliefs.parseSentinel !== true) {
    state.done = true;
    return;
  }
  const value: unknown = JSON.parse(data);
  if (wire === 'responses') (beliefs.responses ?? readResponses)(value as Event, state);
  else if (wire === 'messages') (beliefs.messages ?? readMessages)(value as MessagesEvent, state);
  else if (beliefs.chat === undefined) readChat(value as Chunk, state, beliefs);
  else beliefs.chat(value as Chunk, state);
}
