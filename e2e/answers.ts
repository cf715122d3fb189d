import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBridge } from '../packages/bridge/src/index.ts';
import { readTape, recordTo, type TapedExchange } from '../packages/testing/src/index.ts';
import { createDecoder, type ProtocolId } from '../packages/wire/src/index.ts';

/** One answer that a server gave. */
export interface Answer {
  /** Tools in the request: a client's own small requests beside the turn have none. */
  readonly offered: number;
  readonly texts: readonly string[];
  readonly calls: number;
  readonly end: string | undefined;
}

/** A bridge in front of a server whose answers are kept. */
export interface RecordedBridge {
  /** Without `/v1`. */
  readonly url: string;
  /** The answers so far to requests that offered tools; nothing is kept from then on. */
  turns(): Promise<readonly Answer[]>;
}

/** Puts a bridge before the server at `upstream` for the time of `use`. */
export async function withRecordedBridge(
  upstream: string,
  wire: ProtocolId,
  use: (bridge: RecordedBridge) => Promise<void>,
): Promise<void> {
  const tapes = await mkdtemp(join(tmpdir(), 'turnwire-llama-'));
  try {
    await using recorder = await recordTo(tapes, { upstream });
    await using bridge = createBridge({ upstreams: [recorder.url], wire, port: 0, drainTimeoutMs: 0 });
    await bridge.listen();
    const turns = async (): Promise<readonly Answer[]> => {
      await recorder.close();
      return (await answersOf(tapes, wire)).filter(({ offered }) => offered > 0);
    };
    await use({ url: bridge.url, turns });
  } finally {
    await rm(tapes, { recursive: true, force: true });
  }
}

/** The answers on a tape, decoded from the bytes that the server sent. */
async function answersOf(folder: string, wire: ProtocolId): Promise<readonly Answer[]> {
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
