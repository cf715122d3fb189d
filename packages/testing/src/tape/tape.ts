import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';

/** The version of the format, which the first line of every tape names. */
export const TAPE_VERSION = 1;

/** Headers in the order and spelling of the wire. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/**
 * How an exchange ended:
 *
 * - `complete`: the body ended as it should; on a WebSocket, a close frame came from the server
 * - `cut`: the server closed the connection in the middle
 * - `reset`: the server reset the connection
 * - `client-left`: the client went first
 * - `failed`: no answer came at all; `error` says why
 * - `stopped`: the recording was stopped while the server was still silent or sending
 * - `torn`: the tape has no end, because the recorder died
 */
export type TapeEnding = 'complete' | 'cut' | 'reset' | 'client-left' | 'failed' | 'stopped' | 'torn';

/** The request of an exchange. */
export interface TapedRequest {
  /** Wall clock of the request, ISO 8601. */
  readonly at: string;
  readonly method: string;
  /** Path and query as the client sent them, keys in the query redacted. */
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

/** The head of an answer; `ms` counts from the request. */
export interface TapedResponse {
  readonly ms: number;
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
}

/** One piece of the body as it came off the wire, content encoding untouched. */
export interface TapedChunk {
  readonly ms: number;
  readonly data: Uint8Array;
}

/** A WebSocket message; text when `data` is a string. */
export interface TapedMessage {
  readonly ms: number;
  readonly from: 'client' | 'server';
  readonly kind: 'message' | 'ping';
  readonly data: string | Uint8Array;
}

/** How an exchange ended; `ms` counts from the request. */
export interface TapedEnd {
  readonly ms: number;
  readonly how: TapeEnding;
  /** Close code of a WebSocket. */
  readonly code?: number;
  readonly reason?: string;
  readonly error?: string;
}

/** One exchange. All times are milliseconds since the request had arrived completely. */
export interface TapedExchange {
  /** The file it came from. */
  readonly file: string;
  readonly kind: 'http' | 'websocket';
  readonly request: TapedRequest;
  /** Absent when the server never answered. */
  readonly response?: TapedResponse;
  readonly chunks: readonly TapedChunk[];
  /** WebSocket only. */
  readonly messages: readonly TapedMessage[];
  readonly end: TapedEnd;
}

/** What is wrong with a file: what was whole before it is kept. */
export interface TapeProblem {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** The parts of one tape, and the lines of it that could not be read. */
export interface ParsedTape {
  readonly exchange?: TapedExchange;
  readonly problems: readonly TapeProblem[];
}

/**
 * Reads the text of one tape. Never throws: reading stops at the first line that makes no sense, and what was
 * whole before it is the exchange, its end `torn`.
 */
export function parseTape(file: string, text: string): ParsedTape {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const reader = new TapeReader(file);
  for (const [index, line] of lines.entries()) {
    const fault = reader.take(line);
    if (fault !== undefined) return reader.torn(index + 1, fault);
  }
  return reader.finish(lines.length);
}

class TapeReader {
  readonly #file: string;
  readonly #chunks: TapedChunk[] = [];
  readonly #messages: TapedMessage[] = [];
  #kind: TapedExchange['kind'] = 'http';
  #request: TapedRequest | undefined;
  #response: TapedResponse | undefined;
  #end: TapedEnd | undefined;
  #lastMs = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Takes one line; returns what is wrong with it. */
  take(line: string): string | undefined {
    const value = parseJson(line);
    if (!isObject(value)) return 'it is not a whole JSON object';
    if (this.#request === undefined) return this.#head(value);
    if (this.#end !== undefined) return 'something follows the end';
    const { ms } = value;
    if (typeof ms !== 'number' || !Number.isFinite(ms)) return 'it has no time';
    this.#lastMs = ms;
    return this.#event(value, ms);
  }

  torn(line: number, fault: string): ParsedTape {
    const kept = this.#request === undefined ? 'nothing of it can be served' : `${this.#kept()} before it are served`;
    const problem = { file: this.#file, line, message: `line ${line}: ${fault}; ${kept}` };
    return { ...this.#exchange(), problems: [problem] };
  }

  finish(lines: number): ParsedTape {
    if (this.#request === undefined) {
      return { problems: [{ file: this.#file, line: 1, message: 'line 1: the file is empty' }] };
    }
    if (this.#end !== undefined) return { ...this.#exchange(), problems: [] };
    const message = `it has no end: the recorder died; ${this.#kept()} are served, then the connection is cut`;
    return { ...this.#exchange(), problems: [{ file: this.#file, line: lines, message }] };
  }

  #head(value: JsonObject): string | undefined {
    if (value.tape !== TAPE_VERSION) return `it is no tape of version ${TAPE_VERSION}`;
    const { request } = value;
    if (!isObject(request) || typeof request.method !== 'string' || typeof request.target !== 'string') {
      return 'it has no request';
    }
    const body = isObject(request.body) ? parseData(request.body) : new Uint8Array();
    if (body === undefined) return 'its request body cannot be read';
    this.#kind = value.kind === 'websocket' ? 'websocket' : 'http';
    const { method, target } = request;
    this.#request = {
      at: String(value.at),
      method,
      target,
      headers: parseHeaders(request.headers),
      body: toBytes(body),
    };
    return undefined;
  }

  #event(value: JsonObject, ms: number): string | undefined {
    if (typeof value.status === 'number') {
      const { status, reason, headers } = value;
      this.#response = { ms, status, reason: typeof reason === 'string' ? reason : '', headers: parseHeaders(headers) };
      return undefined;
    }
    if (isEnding(value.end)) {
      this.#end = parseEnd(value, ms, value.end);
      return undefined;
    }
    const data = parseData(value);
    if (data === undefined) return 'it has no data';
    if (this.#kind === 'websocket') this.#messages.push(parseMessage(value, ms, data));
    else this.#chunks.push({ ms, data: toBytes(data) });
    return undefined;
  }

  #exchange(): Pick<ParsedTape, 'exchange'> {
    if (this.#request === undefined) return {};
    const exchange: TapedExchange = {
      file: this.#file,
      kind: this.#kind,
      request: this.#request,
      ...(this.#response === undefined ? {} : { response: this.#response }),
      chunks: this.#chunks,
      messages: this.#messages,
      end: this.#end ?? { ms: this.#lastMs, how: 'torn' },
    };
    return { exchange };
  }

  #kept(): string {
    const n = this.#chunks.length + this.#messages.length;
    const word = this.#kind === 'http' ? 'chunk' : 'message';
    return `the ${n} ${word}${n === 1 ? '' : 's'}`;
  }
}

const endings: readonly string[] = [
  'complete',
  'cut',
  'reset',
  'client-left',
  'failed',
  'stopped',
] satisfies TapeEnding[];

function isEnding(value: unknown): value is TapeEnding {
  return typeof value === 'string' && endings.includes(value);
}

function parseEnd(value: JsonObject, ms: number, how: TapeEnding): TapedEnd {
  return {
    ms,
    how,
    ...(typeof value.code === 'number' ? { code: value.code } : {}),
    ...(typeof value.reason === 'string' ? { reason: value.reason } : {}),
    ...(typeof value.error === 'string' ? { error: value.error } : {}),
  };
}

function parseMessage(value: JsonObject, ms: number, data: string | Uint8Array): TapedMessage {
  const from = value.from === 'client' ? 'client' : 'server';
  const binary = value.binary === true;
  return { ms, from, kind: value.ping === true ? 'ping' : 'message', data: binary ? toBytes(data) : data };
}

function parseData(value: JsonObject): string | Uint8Array | undefined {
  if (typeof value.text === 'string') return value.text;
  return typeof value.base64 === 'string' ? new Uint8Array(Buffer.from(value.base64, 'base64')) : undefined;
}

function toBytes(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? new Uint8Array(Buffer.from(data)) : data;
}

function parseHeaders(value: unknown): HeaderList {
  if (!Array.isArray(value)) return [];
  return (value as unknown[]).flatMap((pair) =>
    Array.isArray(pair) ? [[String(pair[0]), String(pair[1])] as const] : [],
  );
}
