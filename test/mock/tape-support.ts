import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { createDecoder, type ProtocolId } from '../../packages/wire/src/index.ts';

export interface Heard {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly chunks: readonly Buffer[];
  /** Milliseconds of each chunk since the request. */
  readonly times: readonly number[];
  readonly how: 'end' | 'broken' | 'left' | 'refused';
}

export interface Ask {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Leave once the text so far says so. */
  readonly leaveWhen?: (text: string) => boolean;
}

/** A client that keeps chunks apart and knows how the answer ended. */
export async function hear(url: string, ask: Ask = {}): Promise<Heard> {
  const chunks: Buffer[] = [];
  const times: number[] = [];
  const start = performance.now();
  return await new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', ...ask.headers };
    const outgoing = request(url, { method: ask.method ?? 'POST', headers, agent: false }, (response) => {
      const done = (how: Heard['how']): void =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, chunks, times, how });
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        times.push(performance.now() - start);
        if (ask.leaveWhen?.(textOf(chunks)) !== true) return;
        done('left');
        outgoing.destroy();
      });
      response.once('end', () => done('end'));
      response.once('error', () => done('broken'));
    });
    outgoing.on('error', () => resolve({ status: 0, headers: {}, chunks, times, how: 'refused' }));
    outgoing.end(ask.body ?? '');
  });
}

export function textOf(chunks: readonly Uint8Array[]): string {
  return Buffer.concat(chunks).toString('utf8');
}

/** What our decoder makes of the chunks, and of the way they ended. */
export function eventsOf(wire: ProtocolId, heard: Pick<Heard, 'chunks'>): (ModelEvent | string)[] {
  const decoder = createDecoder(wire, { usageAsked: true });
  const events = heard.chunks.flatMap((chunk) => decoder.push(chunk));
  events.push(...decoder.end({ type: 'close' }));
  return [...events, decoder.failure?.kind ?? 'good'];
}

/** A folder that is gone after the test. */
export function tapeFolder(): Disposable & { readonly path: string; tapes(): { name: string; text: string }[] } {
  const path = mkdtempSync(join(tmpdir(), 'turnwire-tape-'));
  return {
    path,
    tapes: () => {
      const names = readdirSync(path).sort();
      return names.map((name) => ({ name, text: readFileSync(join(path, name), 'utf8') }));
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export const chatBody = (text: string): string =>
  JSON.stringify({
    model: 'm',
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: text }],
  });

export const responsesBody = (text: string): string => JSON.stringify({ model: 'm', stream: true, input: text });

export const messagesBody = (text: string, more: object = {}): string =>
  JSON.stringify({ model: 'm', max_tokens: 100, stream: true, messages: [{ role: 'user', content: text }], ...more });
