import type { IncomingHttpHeaders } from 'node:http';
import {
  firstHeaderValue,
  hopByHopTest,
  joinedHeaderValue,
  type HeaderValues,
} from '@turnwire/wire/internal/base/http-headers';
import type { Conceal } from '@turnwire/client/internal/platform/conceal';
import { isSecretHeader } from '@turnwire/client/internal/platform/secret-names';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';

/** True for Codex, which takes data events as signs of life and reads errors best from the stream. */
export function isCodex(headers: IncomingHttpHeaders): boolean {
  if (/^codex/i.test(firstHeaderValue(headers.originator) ?? '') || /^codex/i.test(headers['user-agent'] ?? ''))
    return true;
  return Object.keys(headers).some((name) => name.startsWith('x-codex-'));
}

/** Never handed on: they belong to this hop. So do the caller's secrets, whatever they are called. */
const OWN_HOP = new Set(['host', 'content-length', 'accept-encoding', 'origin', 'referer', 'expect']);

/** What an upstream of the Responses API may make use of. */
const USEFUL =
  /^(?:x-codex-|x-openai-|openai-|session-id$|thread-id$|originator$|version$|x-client-request-id$|user-agent$|via$|anthropic-beta$)/;

/** A caller's headers for a translated request. */
export function translatedHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return pick(headers, (name) => USEFUL.test(name));
}

/** A caller's headers for a request that is passed through. */
export function passedHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return pick(headers, (name) => !name.startsWith('sec-'));
}

function pick(headers: IncomingHttpHeaders, wanted: (name: string) => boolean): Record<string, string> {
  const picked: Record<string, string> = {};
  const isHopByHop = hopByHopTest(headers.connection);
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || isHopByHop(name) || OWN_HOP.has(name) || !wanted(name)) continue;
    if (isSecretHeader(name)) continue;
    picked[name] = joinedHeaderValue(value);
  }
  return picked;
}

/** What of an upstream's answer is of use to the caller of a translated request. */
const TOLD = /^(?:openai-|x-ratelimit-|x-codex-|x-models-etag$|x-reasoning-included$)/;

/** An upstream's headers for the caller. */
export function answerHeaders(headers: HeaderValues, conceal: Conceal): Record<string, string> {
  return pickAnswer(headers, conceal, (name) => TOLD.test(name));
}

/**
 * The headers without the limits of an upstream: a caller with a name has limits of their own, and those of the bridge's account
 * are nobody else's business.
 */
export function withoutLimits(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(?:x|anthropic)-ratelimit-/.test(name)));
}

/** Codings that the transport takes off: their bytes and their count are not those that go on. */
const DECODED = /^(?:x-)?(?:gzip|deflate|br)$/i;

/** True for a body whose coding stays on: its bytes are nothing that can be read along. */
export function staysCoded(encoding: string | undefined): boolean {
  const coding = encoding?.trim() ?? '';
  return !/^(?:identity)?$/i.test(coding) && !DECODED.test(coding);
}

/** All of an upstream's headers that may pass. Which web pages may read the answer is for the bridge to say. */
export function allAnswerHeaders(headers: HeaderValues, conceal: Conceal): Record<string, string> {
  const decoded = DECODED.test(firstHeaderValue(headers['content-encoding'])?.trim() ?? '');
  return pickAnswer(
    headers,
    conceal,
    (name) =>
      !name.startsWith('access-control-') && !(decoded && (name === 'content-encoding' || name === 'content-length')),
  );
}

/** Some servers quote the key that they refuse; cookies and turn states are between them and the bridge. */
function pickAnswer(
  headers: HeaderValues,
  conceal: Conceal,
  wanted: (name: string) => boolean,
): Record<string, string> {
  const picked: Record<string, string> = {};
  const isHopByHop = hopByHopTest(firstHeaderValue(headers.connection));
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || isHopByHop(name) || name === TURN_STATE_HEADER || name === 'set-cookie') continue;
    if (wanted(name)) picked[name] = conceal(joinedHeaderValue(value));
  }
  return picked;
}
