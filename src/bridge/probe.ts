import type { ProviderConfig } from '../client/provider.ts';
import { requestHeaders, requestUrl, type GetEnv } from '../client/provider-request.ts';
import { isObject, parseJson } from '../base/json.ts';
import type { HttpResponse, HttpTransport } from '../transport/http.ts';
import type { WireApi } from '../wire/decoder.ts';

const PROBE_MS = 10_000;
/** What is read of an answer to a probe. */
const BODY_BYTES = 16 * 1024;

/**
 * Asks which wire a server speaks: a body that no server can take for a request goes to its Responses endpoint. A
 * server that has none says 404 or 405; every other answer means that somebody is there.
 *
 * Fails with the transport's `ModelError` when the server cannot be reached.
 */
export async function probeWire(
  transport: HttpTransport,
  provider: ProviderConfig,
  getEnv: GetEnv,
  signal: AbortSignal,
): Promise<WireApi> {
  const response = await transport.send({
    method: 'POST',
    url: requestUrl(provider, 'responses'),
    headers: { 'content-type': 'application/json', ...requestHeaders(provider, getEnv) },
    body: '[]',
    signal,
    timers: { connectMs: PROBE_MS, totalMs: PROBE_MS },
  });
  const missing = response.status === 404 || response.status === 405 || response.status === 501;
  if (!missing) {
    response.release();
    return 'responses';
  }
  return (await namesModel(response)) ? 'responses' : 'chat';
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
