import { isObject, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Frame } from '../answer.ts';
import type { FaultSpec, FaultWire } from './fault.ts';
import { endIndex, isTerminal, responsesFrame, typeOf, withFields } from '../frames.ts';

const wires: readonly FaultWire[] = ['responses', 'websocket'];

/** Faults of the Responses event sequence. */
export const responsesShapeFaults: readonly FaultSpec[] = [
  {
    name: 'final-only',
    summary: 'No deltas: created, one output_item.done per item, completed. Test proxies, and servers that buffer.',
    wires,
    create: () => ({
      frames: (frames) => frames.filter((frame) => keeps(frame, ['response.created', 'response.output_item.done'])),
    }),
  },
  {
    name: 'only-completed',
    summary: 'The items are in the output of response.completed and nowhere else: new-api and litellm versions.',
    wires,
    create: () => ({ frames: (frames) => frames.filter((frame) => keeps(frame, ['response.created'])) }),
  },
  {
    name: 'output-empty',
    summary: 'response.completed has output [] although items were streamed: new-api and litellm versions.',
    wires,
    create: () => ({ frames: (frames) => frames.map((frame) => withResponse(frame, { output: [] })) }),
  },
  {
    name: 'no-item-done',
    summary: 'Deltas only: no output_item.done, and completed without output: half-finished Responses endpoints.',
    wires,
    create: () => ({
      frames: (frames) =>
        frames.filter((frame) => !typeOf(frame).endsWith('.done')).map((frame) => withResponse(frame, { output: [] })),
    }),
  },
  {
    name: 'duplicate-final',
    summary:
      'Every output_item.done comes twice, and the text again as one delta before it: aiperf, opencodex reports.',
    wires,
    create: () => ({
      frames: (frames) =>
        frames.flatMap((frame) => (typeOf(frame) === 'response.output_item.done' ? [frame, frame] : [frame])),
    }),
  },
  {
    name: 'out-of-order',
    summary: 'Items and parts are announced after their deltas, created comes late: translators that emit as they go.',
    wires,
    create: () => ({ frames: outOfOrder }),
  },
  {
    name: 'delta-without-added',
    summary: 'Deltas come without output_item.added and content_part.added: llm-rosetta, sub2api.',
    wires,
    create: () => ({ frames: (frames) => frames.filter((frame) => !typeOf(frame).endsWith('.added')) }),
  },
  {
    name: 'no-item-ids',
    summary: 'No event and no item has an id: minimal Responses servers, which Codex accepts.',
    wires,
    create: () => ({ frames: (frames) => frames.map(withoutIds) }),
  },
  {
    name: 'fresh-item-ids',
    summary: 'The item of output_item.done has another id than the one that was added: gateways that mint ids twice.',
    wires,
    create: () => ({ frames: (frames) => frames.map(freshId) }),
  },
  {
    name: 'no-created',
    summary: 'The stream begins with the first item: servers without response.created.',
    wires,
    create: () => ({
      frames: (frames) => frames.filter((frame) => !/^response\.(created|in_progress)$/.test(typeOf(frame))),
    }),
  },
  {
    name: 'no-indexes',
    summary: 'No output_index, content_index or sequence_number: llama.cpp.',
    wires,
    create: () => ({ frames: (frames) => frames.map(withoutIndexes) }),
  },
  {
    name: 'completed-bare',
    summary: 'response.completed without an id, usage or output: minimal stubs.',
    wires,
    create: () => ({
      frames: (frames) => frames.map((frame) => (isTerminal(frame) ? withFields(frame, { response: {} }) : frame)),
    }),
  },
  {
    name: 'null-details',
    summary: 'Usage with null details: gateways that fill in what they do not know.',
    wires,
    create: () => ({
      frames: (frames) =>
        frames.map((frame) =>
          mapUsage(frame, (usage) => ({ ...usage, input_tokens_details: null, output_tokens_details: null })),
        ),
    }),
  },
  {
    name: 'usage-without-total',
    summary:
      'Usage without total_tokens and with empty details, on which Codex fails the whole turn: several gateways.',
    wires,
    create: () => ({
      frames: (frames) =>
        frames.map((frame) =>
          mapUsage(frame, ({ input_tokens, output_tokens }) => ({
            input_tokens,
            output_tokens,
            input_tokens_details: {},
            output_tokens_details: {},
          })),
        ),
    }),
  },
  {
    name: 'unknown-events',
    summary: 'Events and items of types that no client knows yet: the API, whenever it grows.',
    wires,
    create: () => ({ frames: unknownEvents }),
  },
  {
    name: 'malformed-item',
    summary: 'An output item with fields of wrong types: translators that forward what they did not understand.',
    wires,
    create: () => ({ frames: malformedItem }),
  },
];

function keeps(frame: Frame, types: readonly string[]): boolean {
  return isTerminal(frame) || frame.kind !== 'json' || types.includes(typeOf(frame));
}

function withResponse(frame: Frame, fields: JsonObject): Frame {
  if (frame.kind !== 'json' || !isTerminal(frame) || !isObject(frame.value.response)) return frame;
  return withFields(frame, { response: { ...frame.value.response, ...fields } });
}

function mapUsage(frame: Frame, change: (usage: JsonObject) => JsonObject): Frame {
  const response = frame.kind === 'json' && isTerminal(frame) ? frame.value.response : undefined;
  return isObject(response) && isObject(response.usage)
    ? withResponse(frame, { usage: change(response.usage) })
    : frame;
}

/** Announcements change places with the event that follows them; `created` comes third. */
function outOfOrder(frames: Frame[]): Frame[] {
  const [created, progress, ...rest] = frames;
  const late: Frame[] = [];
  const mixed: Frame[] = [];
  for (const frame of rest) {
    if (typeOf(frame).endsWith('.added')) late.push(frame);
    else mixed.push(frame, ...late.splice(0));
  }
  return [...mixed.slice(0, 1), ...[created, progress].filter((frame) => frame !== undefined), ...mixed.slice(1)];
}

function withoutIds(frame: Frame): Frame {
  if (frame.kind !== 'json') return frame;
  const value = omit(frame.value, ['item_id']);
  if (isObject(value.item)) value.item = omit(value.item, ['id']);
  if (isObject(value.response)) {
    const output = Array.isArray(value.response.output) ? (value.response.output as unknown[]) : [];
    value.response = { ...value.response, output: output.map((item) => (isObject(item) ? omit(item, ['id']) : item)) };
  }
  return { ...frame, value };
}

function freshId(frame: Frame): Frame {
  if (frame.kind !== 'json' || typeOf(frame) !== 'response.output_item.done' || !isObject(frame.value.item))
    return frame;
  return withFields(frame, { item: { ...frame.value.item, id: `${stringOf(frame.value.item.id) ?? 'item'}_again` } });
}

function withoutIndexes(frame: Frame): Frame {
  if (frame.kind !== 'json') return frame;
  return { ...frame, value: omit(frame.value, ['output_index', 'content_index', 'summary_index', 'sequence_number']) };
}

function unknownEvents(frames: Frame[]): Frame[] {
  const at = Math.max(0, endIndex(frames));
  const item = { type: 'hologram_call', id: 'ho_1', status: 'completed', payload: { x: 1 } };
  return [
    ...frames.slice(0, at),
    responsesFrame({ type: 'response.hologram.delta', item_id: 'ho_1', delta: { x: 1 } }),
    responsesFrame({ type: 'response.output_item.added', output_index: 90, item }),
    responsesFrame({ type: 'response.output_item.done', output_index: 90, item }),
    ...frames.slice(at),
  ];
}

function malformedItem(frames: Frame[]): Frame[] {
  const at = Math.max(0, endIndex(frames));
  const item = { type: 'message', id: 7, role: 'assistant', content: 'not an array' };
  return [
    ...frames.slice(0, at),
    responsesFrame({ type: 'response.output_item.done', output_index: 91, item }),
    ...frames.slice(at),
  ];
}

function omit(value: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}
