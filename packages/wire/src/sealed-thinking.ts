import { fromBase64Url, toBase64Url } from './base/base64url.ts';
import { isObject, parseOwnJson, type JsonObject } from './base/json.ts';

/**
 * A signed or redacted thinking block in the `encrypted_content` of a reasoning item (docs/contract.md section 8). Clients of
 * the Responses API send that text back and drop what can be read; the server takes the block only byte for byte, text
 * and signature together.
 */
const PREFIX = 'anthropic:1:';

/** The text that clients carry: `anthropic:1:` and the base64url of the block's JSON. */
export function sealThinking(block: JsonObject): string {
  return PREFIX + toBase64Url(JSON.stringify(block));
}

/** True for a text of {@link sealThinking}, whole or damaged. */
export function isSealedThinking(text: unknown): text is string {
  return typeof text === 'string' && text.startsWith(PREFIX);
}

/** The block in such a text, with its members in their order; undefined for what others encrypted, and for a damaged text. */
export function openThinking(text: unknown): JsonObject | undefined {
  if (!isSealedThinking(text)) return undefined;
  const json = fromBase64Url(text.slice(PREFIX.length));
  const block = json === undefined ? undefined : parseOwnJson(json);
  return isObject(block) && THINKING.has(block['type']) ? block : undefined;
}

/** The types of blocks that go this way. */
const THINKING: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);
