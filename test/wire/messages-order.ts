import { stringOf } from '../../packages/wire/src/base/json.ts';
import type { WireEvent } from '../../packages/wire/src/encode-event.ts';

type Fields = Record<string, unknown>;

/** The deltas that belong into each type of block. */
const deltasOf: Readonly<Record<string, readonly string[]>> = {
  text: ['text_delta', 'citations_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
  redacted_thinking: [],
  tool_use: ['input_json_delta'],
  server_tool_use: ['input_json_delta'],
};

/** What is wrong with the order of an answer's events; undefined for a legal one. The rules are N2 to N6 and N12. */
export function orderProblem(events: readonly WireEvent[]): string | undefined {
  let state: 'start' | 'blocks' | 'delta' | 'end' = 'start';
  let next = 0;
  let open: { type: string; json: string; signature: string; deltas: number } | undefined;
  for (const { type, data } of events) {
    const event = JSON.parse(data) as Fields;
    if (event['type'] !== type) return `${type} has the data of ${String(event['type'])}`;
    if (state === 'end') return `${type} behind the end`;
    if (type === 'ping') continue;
    if (type === 'error') {
      state = 'end';
      continue;
    }
    if (type === 'message_start') {
      if (state !== 'start') return 'a second start';
      state = 'blocks';
      continue;
    }
    if (type === 'message_delta') {
      if (state !== 'blocks' || open !== undefined) return 'message_delta inside of a block';
      if (typeof (event['delta'] as Fields)['stop_reason'] !== 'string') return 'no stop_reason';
      state = 'delta';
      continue;
    }
    if (type === 'message_stop') {
      if (state !== 'delta') return 'message_stop without message_delta';
      state = 'end';
      continue;
    }
    if (state !== 'blocks') return `${type} outside of a message`;
    if (type === 'content_block_start') {
      if (open !== undefined) return 'two blocks are open';
      if (event['index'] !== next) return `index ${String(event['index'])} for ${next}`;
      const block = event['content_block'] as Fields;
      if (Object.hasOwn(block, 'input') && JSON.stringify(block['input']) !== '{}') return 'input in the start';
      if ((block['text'] ?? '') !== '' || (block['thinking'] ?? '') !== '') return 'text in the start';
      open = { type: String(block['type']), json: '', signature: '', deltas: 0 };
      continue;
    }
    if (open === undefined || event['index'] !== next) return `${type} for a block that is not open`;
    if (type === 'content_block_delta') {
      const delta = event['delta'] as Fields;
      if (deltasOf[open.type]?.includes(String(delta['type'])) !== true)
        return `${String(delta['type'])} in ${open.type}`;
      if (open.signature !== '') return 'a delta behind the signature';
      open.json += stringOf(delta['partial_json']) ?? '';
      open.signature += stringOf(delta['signature']) ?? '';
      open.deltas++;
      continue;
    }
    if (type !== 'content_block_stop') return `an event of type ${type}`;
    if (open.type === 'thinking' && open.signature === '') return 'thinking without a signature';
    if (open.type === 'tool_use') JSON.parse(open.json);
    if (open.deltas === 0 && (deltasOf[open.type]?.length ?? 0) > 0) return `${open.type} without a delta`;
    open = undefined;
    next++;
  }
  return state === 'end' ? undefined : `ends in ${state}`;
}
