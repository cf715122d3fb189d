import { readFileSync, readdirSync } from 'node:fs';
import { createDecoder, protocolIds, type DecoderOptions, type ProtocolId } from '../../packages/wire/src/index.ts';
import type { ModelErrorJson } from '../../packages/wire/src/model/errors.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';

/** What a stream came to: its events, and the error it ended in, if it did. */
export interface Outcome {
  readonly events: ModelEvent[];
  readonly error?: ModelErrorJson;
  readonly skipped: number;
}

/** Decodes bytes cut at the given places, then closes. */
export function decodeChunks(wire: ProtocolId, chunks: readonly Uint8Array[], options: DecoderOptions = {}): Outcome {
  const decoder = createDecoder(wire, options);
  const events: ModelEvent[] = [];
  for (const chunk of chunks) events.push(...decoder.push(chunk));
  events.push(...decoder.end({ type: 'close' }));
  return {
    events,
    ...(decoder.failure === undefined ? {} : { error: decoder.failure.toJSON() }),
    skipped: decoder.skipped,
  };
}

/**
 * What is wrong with the end of a stream: there is either `completed`, last and once, or an error; text items that were added are
 * done, and nothing is done twice.
 */
export function wrongEnding({ events, error }: Outcome): string[] {
  const completed = events.filter(({ type }) => type === 'completed').length;
  const ends = completed + (error === undefined ? 0 : 1);
  const added = idsOf(events, 'output_item.added');
  const done = idsOf(events, 'output_item.done');
  const texts = added.filter((name) => /^(?:message msg|reasoning rs)_/.test(name));
  return [
    ...(ends === 1 ? [] : [`${ends} ends`]),
    ...(error === undefined && events.at(-1)?.type !== 'completed' ? ['an event behind the end'] : []),
    ...twice(added).map((id) => `${id} is added twice`),
    ...twice(done).map((id) => `${id} is done twice`),
    ...texts.filter((id) => !done.includes(id)).map((id) => `${id} is never done`),
  ];
}

function twice(ids: readonly string[]): string[] {
  return ids.filter((id, n) => ids.indexOf(id) !== n);
}

/** Type and id, for items of different types are two. Minted ids only: a server may say what it likes. */
function idsOf(events: readonly ModelEvent[], type: 'output_item.added' | 'output_item.done'): string[] {
  return events.flatMap((event) => {
    if (event.type !== type) return [];
    const { id } = event.item;
    return typeof id === 'string' && /^(?:msg|rs|fc|ctc)_\d+$/.test(id) ? [`${String(event.item.type)} ${id}`] : [];
  });
}

export function decodeText(wire: ProtocolId, text: string, options: DecoderOptions = {}): Outcome {
  return decodeChunks(wire, [new TextEncoder().encode(text)], options);
}

export function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

/** Cuts at arbitrary offsets, which may repeat (empty chunks happen). */
export function cutAt(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const places = [...offsets.map((offset) => offset % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, n) => bytes.subarray(places[n], end));
}

/** A chat stream: objects become JSON data lines, strings stay as they are. */
export function chatBody(...events: (object | string)[]): string {
  return events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');
}

/** A stream with `event:` lines, as the Responses API and the Messages API have it. */
export function responsesBody(...events: ({ type: string } & Record<string, unknown>)[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

/** A Messages stream with `event:` lines. */
export const messagesBody = responsesBody;

/** A chunk with one choice. */
export function chunk(delta: object, finish?: string | null, more: object = {}): object {
  return { choices: [{ index: 0, delta, finish_reason: finish ?? null }], ...more };
}

export const captureDir = new URL('../captures/', import.meta.url);

export interface Capture {
  readonly name: string;
  readonly wire: ProtocolId;
  readonly bytes: Uint8Array;
  readonly options: DecoderOptions;
}

/** The recorded streams, each with the options that its request stands for. */
export function captures(): Capture[] {
  return readdirSync(captureDir)
    .filter((file) => file.endsWith('.sse'))
    .map((file) => {
      const name = file.slice(0, -'.sse'.length);
      const request = JSON.parse(readFileSync(new URL(`${name}.req.json`, captureDir), 'utf8')) as Record<
        string,
        unknown
      >;
      return {
        name,
        wire: protocolIds.find((id) => name.startsWith(id)) ?? 'chat',
        bytes: new Uint8Array(readFileSync(new URL(file, captureDir))),
        options: {
          usageAsked: request['stream_options'] !== undefined,
          tokenLimit: request['max_tokens'] !== undefined,
        },
      };
    });
}
