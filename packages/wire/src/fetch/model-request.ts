import { isObject, parseJson, type JsonObject } from '../base/json.ts';
import type { Fetch } from './fetch.ts';
import type { Asked, HealingWire } from './wire.ts';

/** A request for an answer of a model. */
export interface ModelRequest {
  readonly wire: HealingWire;
  readonly asked: Asked;
  readonly url: URL;
}

/**
 * The request for a model's answer that a call of `fetch` is: a POST to the path of one of the wires, with a body as that wire has
 * it. `undefined` for any other, and for one whose body cannot be looked at.
 */
export async function readModelRequest(
  wires: readonly HealingWire[],
  input: Parameters<Fetch>[0],
  init: RequestInit | undefined,
): Promise<ModelRequest | undefined> {
  const request = input instanceof Request ? input : undefined;
  const method = init?.method ?? request?.method ?? 'GET';
  if (method.toUpperCase() !== 'POST') return undefined;
  const url = parseUrl(input instanceof Request ? input.url : input);
  const candidates = wires.filter(({ answers }) => url?.pathname.endsWith(`/${answers.path}`));
  if (url === undefined || candidates.length === 0) return undefined;
  const text = init?.body === undefined || init.body === null ? await request?.clone().text() : textOf(init.body);
  const body = text === undefined ? undefined : parseJson(text);
  return isObject(body) ? findIn(candidates, url, body) : undefined;
}

function findIn(candidates: readonly HealingWire[], url: URL, body: JsonObject): ModelRequest | undefined {
  const wire = candidates.find((candidate) => candidate.isRequest(body));
  return wire && { wire, asked: wire.readAsked(body), url };
}

function parseUrl(url: string | URL): URL | undefined {
  const text = String(url);
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** A body that is there as a whole. */
function textOf(body: unknown): string | undefined {
  if (typeof body === 'string') return body;
  return body instanceof Uint8Array || body instanceof ArrayBuffer ? new TextDecoder().decode(body) : undefined;
}
