import type { ProviderConfig } from '../client/provider.ts';
import { requestHeaders, requestUrl, type GetEnv } from '../client/provider-request.ts';
import { isObject, parseJson } from '../base/json.ts';
import type { HttpResponse, HttpTransport } from '../transport/http.ts';
import type { WireApi } from '../wire/decoder.ts';

const PROBE_MS = 10_000;
/** What is read of an answer to a probe. */
const BODY_BYTES = 16 * 1024;

/** Hosts whose Responses API is whole: every kind of tool, every field. */
const NATIVE_HOSTS = /(?:^|\.)(?:openai\.com|chatgpt\.com|openai\.azure\.com)$/;

/** True for OpenAI's own servers, where the Responses API is at home. */
export function isNativeHost(baseUrl: string): boolean {
  return NATIVE_HOSTS.test(new URL(baseUrl).hostname.toLowerCase());
}

/**
 * Asks which wire a server speaks: a body that no server can take for a request goes to its endpoints. One that it
 * does not have answers 404 or 405; every other answer means that somebody is there. Where both are there, chat is
 * the one that carries more: most servers ignore half of a Responses request, schemas and limits among it. OpenAI's
 * own speak Responses.
 *
 * Fails with the transport's `ModelError` when the server cannot be reached.
 */
export async function probeWire(
  transport: HttpTransport,
  provider: ProviderConfig,
  getEnv: GetEnv,
  signal: AbortSignal,
): Promise<WireApi> {
  if (isNativeHost(provider.baseUrl)) return 'responses';
  const has = (path: string): Promise<boolean> => hasEndpoint(transport, provider, getEnv, signal, path);
  return !(await has('chat/completions')) && (await has('responses')) ? 'responses' : 'chat';
}

async function hasEndpoint(
  transport: HttpTransport,
  provider: ProviderConfig,
  getEnv: GetEnv,
  signal: AbortSignal,
  path: string,
): Promise<boolean> {
  const response = await transport.send({
    method: 'POST',
    url: requestUrl(provider, path),
    headers: { 'content-type': 'application/json', ...requestHeaders(provider, getEnv) },
    body: '[]',
    signal,
    timers: { connectMs: PROBE_MS, totalMs: PROBE_MS },
  });
  const missing = response.status === 404 || response.status === 405 || response.status === 501;
  if (missing) return namesModel(response);
  response.release();
  return true;
}

/** A 404 that is about the model comes from the endpoint itself. */
async function namesModel(response: HttpResponse): Promise<boolean> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.chunks) {
      chunks.push(chunk);
      if ((bytes += chunk.byteLength) > BODY_BYTES) break;
    }
  } catch {
    return false;
  }
  const body = parseJson(Buffer.concat(chunks).toString());
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  return error.code === 'model_not_found';
}
