import assert from 'node:assert/strict';
import { readTape, type TapedExchange } from '../packages/testing/src/index.ts';
import { createDecoder, type ProtocolId } from '../packages/wire/src/index.ts';

/** One answer that a server gave. */
export interface Answer {
  /** Tools in the request: a client's own small requests beside the turn have none. */
  readonly offered: number;
  readonly texts: readonly string[];
  readonly calls: number;
  readonly end: string | undefined;
}

/** The answers on a tape, decoded from the bytes that the server sent. */
export async function answersOf(folder: string, wire: ProtocolId): Promise<readonly Answer[]> {
  const { exchanges, problems } = await readTape(folder);
  assert.deepEqual(problems, []);
  return exchanges.filter(({ request }) => request.method === 'POST').map((exchange) => answerOf(exchange, wire));
}

function answerOf({ request, chunks }: TapedExchange, wire: ProtocolId): Answer {
  const decoder = createDecoder(wire);
  const events = chunks.flatMap(({ data }) => decoder.push(data));
  events.push(...decoder.end({ type: 'close' }));
  const items = events.flatMap((event) => (event.type === 'output_item.done' ? [event.item] : []));
  const { tools } = JSON.parse(Buffer.from(request.body).toString()) as { readonly tools?: readonly unknown[] };
  return {
    offered: tools?.length ?? 0,
    texts: items.filter((item) => item.type === 'message').map(textOf),
    calls: items.filter((item) => item.type === 'function_call').length,
    end: events.at(-1)?.type ?? decoder.failure?.message,
  };
}

function textOf(message: object): string {
  const { content } = message as { readonly content?: readonly { readonly text?: string }[] };
  return (content ?? []).map(({ text = '' }) => text).join('');
}
