import { isHtml, isWebPage } from '@turnwire/wire/internal/read/refusal';
import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import { requestHeaders, requestUrl, type GetEnv } from '@turnwire/client/internal/provider/provider-request';
import { isObject, parseJson } from '@turnwire/wire/internal/base/json';
import { isProtocolId, protocols } from '@turnwire/wire/internal/protocols';
import { wireIn } from '@turnwire/wire/internal/wrong-wire';
import type { HttpResponse, HttpTransport } from '@turnwire/client/internal/transport/http';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { isAnthropicHost, isOpenAiHost } from '@turnwire/wire/internal/quirks';

const PROBE_MS = 10_000;
/** What is read of an answer to a probe. */
const BODY_BYTES = 16 * 1024;

/** What a probe found out. */
export interface ProbedWire {
  readonly wire: ProtocolId;
  /** False when nobody answered who would know: the wire is a guess, and worth another question. */
  readonly sure: boolean;
}

/** Whether an endpoint is there; or the wire that an answer was of, whatever endpoint gave it. */
type Presence = 'there' | 'missing' | 'unknown' | { readonly answered: ProtocolId };

/** In the order in which they are asked: a server that speaks several is asked on the one that carries most. */
const PROBED: readonly ProtocolId[] = ['chat', 'responses', 'messages'];

/**
 * Asks which wire a server speaks: a body that no server can take for a request goes to its endpoints. One that it
 * does not have answers 404 or 405; every other answer means that somebody is there. Where several are there, chat is
 * the one that carries more: most servers ignore half of a Responses request, schemas and limits among it, and a Messages
 * request names no seed and no format that is not a schema. OpenAI's own speak Responses, Anthropic's own Messages. A
 * gateway without its server (502 to 504), a web page and a server that has none of them say nothing: one that is still
 * starting answers like this. Nor does a good status: there is nothing to answer. Should events come with it (stubs that
 * always answer the same), they are of the server's wire.
 *
 * Fails with the transport's `ModelError` when the server cannot be reached.
 *
 * @param providerOf - the server as it is asked on a wire
 */
export async function probeWire(
  transport: HttpTransport,
  providerOf: (wire: ProtocolId) => ProviderConfig,
  getEnv: GetEnv,
  signal: AbortSignal,
): Promise<ProbedWire> {
  const own = ownWireOf(providerOf('chat').baseUrl);
  if (own !== undefined) return { wire: own, sure: true };
  const absent: Presence[] = [];
  for (const wire of PROBED) {
    const presence = await presenceOf(transport, providerOf(wire), getEnv, signal);
    if (typeof presence === 'object') return { wire: presence.answered, sure: true };
    if (presence === 'there') return { wire, sure: absent.every((before) => before === 'missing') };
    absent.push(presence);
  }
  return { wire: PROBED[absent.indexOf('unknown')] ?? 'chat', sure: false };
}

/** What the makers' own servers speak best is known. */
export function ownWireOf(baseUrl: string): ProtocolId | undefined {
  if (isOpenAiHost(baseUrl)) return 'responses';
  return isAnthropicHost(baseUrl) ? 'messages' : undefined;
}

/** True for a server that has a web page for the endpoint of every wire: it is no model server. Fails as the transport does. */
export async function answersPages(
  transport: HttpTransport,
  providerOf: (wire: ProtocolId) => ProviderConfig,
  getEnv: GetEnv,
  signal: AbortSignal,
): Promise<boolean> {
  const pages = PROBED.map(async (wire) => {
    const response = await knock(transport, providerOf(wire), getEnv, signal);
    response.release();
    return isWebPage(response);
  });
  return (await Promise.all(pages)).every(Boolean);
}

/** Sends what no server can take for a request. */
function knock(
  transport: HttpTransport,
  provider: ProviderConfig,
  getEnv: GetEnv,
  signal: AbortSignal,
): Promise<HttpResponse> {
  return transport.send({
    method: 'POST',
    url: requestUrl(provider, protocols[provider.wireApi].path),
    headers: { 'content-type': 'application/json', ...requestHeaders(provider, getEnv) },
    body: '[]',
    signal,
    timers: { connectMs: PROBE_MS, totalMs: PROBE_MS },
  });
}

async function presenceOf(
  transport: HttpTransport,
  provider: ProviderConfig,
  getEnv: GetEnv,
  signal: AbortSignal,
): Promise<Presence> {
  const response = await knock(transport, provider, getEnv, signal);
  const missing = response.status === 404 || response.status === 405 || response.status === 501;
  if (missing) return (await namesModel(response)) ? 'there' : 'missing';
  if (response.status < 300) return await presenceInAnswer(response);
  const elsewhere = response.status >= 502 && response.status <= 504;
  const page = isHtml(response);
  response.release();
  return elsewhere || page ? 'unknown' : 'there';
}

/** What an answer with a good status says of the endpoint. */
async function presenceInAnswer(response: HttpResponse): Promise<Presence> {
  const text = await beginningOf(response, (read) => wireIn(read) !== undefined);
  const answered = wireIn(text);
  if (isProtocolId(answered)) return { answered };
  const body = parseJson(text);
  return isObject(body) && body.error !== undefined ? 'there' : 'unknown';
}

/** A 404 that is about the model comes from the endpoint itself. */
async function namesModel(response: HttpResponse): Promise<boolean> {
  const body = parseJson(await beginningOf(response, () => false));
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  return error.code === 'model_not_found';
}

/** What an answer begins with: all of it, or as far as it is wanted, or as it came. */
async function beginningOf(response: HttpResponse, isEnough: (read: string) => boolean): Promise<string> {
  const chunks: Uint8Array[] = [];
  const text = (): string => Buffer.concat(chunks).toString();
  let bytes = 0;
  // Looked at whenever it doubled: it may come in single bytes.
  let next = 1;
  try {
    for await (const chunk of response.chunks) {
      chunks.push(chunk);
      if ((bytes += chunk.byteLength) > BODY_BYTES) break;
      if (bytes < next) continue;
      next = bytes * 2;
      if (isEnough(text())) break;
    }
  } catch {
    return text();
  }
  return text();
}
