import type { ModelEvent, Usage } from '@turnwire/wire/internal/model/events';
import type { AssistantMessage, FunctionCall, CustomToolCall, OutputItem } from '@turnwire/wire/internal/model/items';
import type { RequestView } from '../scenario/request-view.ts';
import { mockWires } from '../scenario/wires.ts';
import type { ReplyPart, ToolCallPart } from '../scenario/scenario.ts';

/** Ids of everything that one request leads to: the same request number gives the same ids. */
export interface ReplyIds {
  readonly response: string;
  item(prefix: string, k: number): string;
  call(k: number): string;
}

/** Ids made of the request's number. */
export function replyIds(request: RequestView): ReplyIds {
  const { n } = request;
  return {
    response: mockWires[request.wire].answerId(n),
    item: (prefix, k) => `${prefix}_mock_${n}_${k}`,
    call: (k) => `call_mock_${n}_${k}`,
  };
}

/** The canonical events of a reply, without its end: made as they are asked for, so that a long one costs no memory. */
export function* replyEvents(parts: readonly ReplyPart[], ids: ReplyIds): Generator<ModelEvent, number> {
  let deltas = 0;
  yield { type: 'created', response_id: ids.response };
  for (const [k, part] of parts.entries()) {
    for (const event of partEvents(part, k + 1, ids)) {
      if (event.type.endsWith('.delta')) deltas++;
      yield event;
    }
  }
  return deltas;
}

/** Token counts that depend on the request and the reply alone. */
export function countedUsage(request: RequestView, deltas: number): Usage {
  const input = Math.ceil((request.lastUserText.length + request.systemText.length) / 4) + 3;
  const output = Math.max(1, deltas);
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
}

/** Text as a model streams it: words with the space before them, or pieces of a given size. */
export function* piecesOf(text: string, chunk?: number): Generator<string> {
  if (chunk === undefined) {
    for (const [piece] of text.matchAll(/\s*\S+|\s+$/g)) yield piece;
    return;
  }
  for (let at = 0; at < text.length;) {
    const end = wholeCharacter(text, Math.min(text.length, at + Math.max(1, chunk)));
    yield text.slice(at, end);
    at = end;
  }
}

/** Not a generator around generators: each event would pass through every one of them. */
function partEvents(part: ReplyPart, k: number, ids: ReplyIds): Iterable<ModelEvent> {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return messageEvents(part, ids.item('msg', k));
    case 'reasoning':
      return reasoningEvents(part, ids.item('rs', k));
    case 'tool_call':
      return callEvents(part, k, ids);
    case 'item':
      return [
        { type: 'output_item.added', item: part.item },
        { type: 'output_item.done', item: part.item },
      ];
  }
}

function* messageEvents(part: Extract<ReplyPart, { type: 'text' | 'refusal' }>, itemId: string): Generator<ModelEvent> {
  const item: AssistantMessage = { type: 'message', id: itemId, role: 'assistant', status: 'in_progress', content: [] };
  yield { type: 'output_item.added', item };
  if (part.type === 'refusal') {
    yield { type: 'refusal.delta', item_id: itemId, delta: part.text };
    yield {
      type: 'output_item.done',
      item: { ...item, status: 'completed', content: [{ type: 'refusal', refusal: part.text }] },
    };
    return;
  }
  for (const delta of piecesOf(part.text, part.chunk)) yield { type: 'output_text.delta', item_id: itemId, delta };
  const content: AssistantMessage['content'] = [{ type: 'output_text', text: part.text, annotations: [] }];
  yield { type: 'output_item.done', item: { ...item, status: 'completed', content } };
}

function* reasoningEvents(part: Extract<ReplyPart, { type: 'reasoning' }>, itemId: string): Generator<ModelEvent> {
  const done: OutputItem = part.summary
    ? { type: 'reasoning', id: itemId, summary: [{ type: 'summary_text', text: part.text }] }
    : { type: 'reasoning', id: itemId, summary: [], content: [{ type: 'reasoning_text', text: part.text }] };
  yield { type: 'output_item.added', item: { ...done, summary: [], ...(part.summary ? {} : { content: [] }) } };
  for (const delta of piecesOf(part.text, part.chunk)) {
    if (part.summary) yield { type: 'reasoning_summary_text.delta', item_id: itemId, summary_index: 0, delta };
    else yield { type: 'reasoning_text.delta', item_id: itemId, content_index: 0, delta };
  }
  yield { type: 'output_item.done', item: done };
}

function* callEvents(part: ToolCallPart, k: number, ids: ReplyIds): Generator<ModelEvent> {
  const callId = part.callId ?? ids.call(k);
  const input = argumentsText(part);
  const done = callItem(part, ids.item(part.custom ? 'ctc' : 'fc', k), callId, input);
  const empty = part.custom ? { ...done, input: '' } : { ...done, arguments: '', status: 'in_progress' };
  yield { type: 'output_item.added', item: empty };
  for (const delta of piecesOf(input, part.chunk ?? 8)) {
    yield { type: 'tool_call_input.delta', call_id: callId, name: part.name, item_id: done.id ?? '', delta };
  }
  yield { type: 'output_item.done', item: done };
}

function callItem(part: ToolCallPart, id: string, callId: string, input: string): FunctionCall | CustomToolCall {
  const common = {
    id,
    call_id: callId,
    name: part.name,
    ...(part.namespace === undefined ? {} : { namespace: part.namespace }),
  };
  if (part.custom) return { type: 'custom_tool_call', ...common, input };
  return { type: 'function_call', ...common, arguments: input, status: 'completed' };
}

function argumentsText(part: ToolCallPart): string {
  const given = part.arguments ?? (part.custom ? '' : {});
  return typeof given === 'string' ? given : JSON.stringify(given);
}

/** Not between the two halves of a character. */
function wholeCharacter(text: string, end: number): number {
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xd800 && unit <= 0xdbff && end < text.length ? end + 1 : end;
}
