import type { OutputItem } from '../../packages/wire/src/model/items.ts';
import type { ProtocolId } from '../../packages/wire/src/index.ts';

/** All text of a response by kind; choices and items of one kind are joined in the order of the wire. */
interface Texts {
  text: string;
  reasoning: string;
  calls: string[];
}

export function createTranscriptText(items: readonly OutputItem[]): Texts {
  const texts: Texts = { text: '', reasoning: '', calls: [] };
  for (const item of items) {
    const parts = ((item as { content?: unknown }).content ?? []) as { text?: string }[];
    if (item.type === 'message') texts.text += parts.map(({ text }) => text ?? '').join('');
    if (item.type === 'reasoning') texts.reasoning += parts.map(({ text }) => text ?? '').join('');
    if (item.type === 'function_call') texts.calls.push(`${String(item.name)}(${String(item.arguments)})`);
  }
  return texts;
}

/** The same read straight from the lines, in the plainest way, with nothing of turnwire in it. */
createTranscriptText.fromBytes = (wire: ProtocolId, bytes: Uint8Array): Texts => {
  const events = new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Record<string, unknown>);
  return byWire[wire](events);
};

const byWire: Readonly<Record<ProtocolId, (events: Record<string, unknown>[]) => Texts>> = {
  chat: fromChat,
  responses: fromResponses,
  messages: fromMessages,
};

function fromChat(events: readonly unknown[]): Texts {
  interface Chunk {
    choices: {
      index: number;
      finish_reason: string | null;
      delta: { content?: string | null; reasoning_content?: string; tool_calls?: Fragment[] };
    }[];
  }
  interface Fragment {
    index: number;
    function: { name?: string; arguments: string };
  }
  const chunks = events as Chunk[];
  const choices = chunks.flatMap((chunk) => chunk.choices);
  const indexes = [...new Set(choices.map(({ index }) => index))];
  const fragments = choices.flatMap(({ delta }) => delta.tool_calls ?? []);
  const finished = choices.some(({ finish_reason }) => finish_reason === 'tool_calls');
  return {
    text: indexes
      .map((n) =>
        choices
          .filter(({ index }) => index === n)
          .map(({ delta }) => delta.content ?? '')
          .join(''),
      )
      .join(''),
    reasoning: choices.map(({ delta }) => delta.reasoning_content ?? '').join(''),
    calls: [...new Set(fragments.map(({ index }) => index))]
      .map((n) => fragments.filter(({ index }) => index === n))
      .map((own) => `${own[0]?.function.name ?? ''}(${own.map((one) => one.function.arguments).join('')})`)
      .filter(() => finished),
  };
}

function fromResponses(events: Record<string, unknown>[]): Texts {
  const deltas = (type: string): string =>
    events
      .filter((event) => event['type'] === type)
      .map((event) => String(event['delta']))
      .join('');
  const added = events
    .filter((event) => event['type'] === 'response.output_item.added')
    .map((event) => event['item'] as Record<string, string>);
  const calls = added.filter((item) => item['type'] === 'function_call');
  return {
    text: deltas('response.output_text.delta'),
    reasoning: deltas('response.reasoning_text.delta'),
    calls: calls.map((call) => `${call['name'] ?? ''}(${deltas('response.function_call_arguments.delta')})`),
  };
}

function fromMessages(events: Record<string, unknown>[]): Texts {
  interface Delta {
    type: string;
    text?: string;
    thinking?: string;
    partial_json?: string;
    stop_reason?: string;
  }
  const deltas = events.map(({ index, delta }) => ({ index, ...(delta as Delta | undefined) }));
  const joined = (key: 'text' | 'thinking' | 'partial_json', index?: unknown): string =>
    deltas
      .filter((delta) => index === undefined || delta.index === index)
      .map((delta) => delta[key] ?? '')
      .join('');
  const calls = events
    .filter(({ content_block: block }) => (block as { type?: string } | undefined)?.type === 'tool_use')
    .map(({ index, content_block: block }) => `${(block as { name: string }).name}(${joined('partial_json', index)})`);
  const wanted = deltas.some(({ stop_reason: reason }) => reason === 'tool_use');
  return { text: joined('text'), reasoning: joined('thinking'), calls: wanted ? calls : [] };
}
