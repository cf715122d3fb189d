/** `@turnwire/wire/fetch`: a `fetch` that heals the answers of models for the SDKs that take one. */
import { healingFor, type HealingOptions } from './healing.ts';
import type { Fetch } from './fetch.ts';
import { chat } from './wires/chat.ts';
import { messages } from './wires/messages.ts';
import { responses } from './wires/responses.ts';

export { healingFor, type HealingOptions, type RepairedRequest } from './healing.ts';
export type { Fetch } from './fetch.ts';
export { RESUME_HEADER, resumeStore, type ResumeStore } from './resume-store.ts';
export type { HealingWire } from './wire.ts';
export { chat, messages, responses };

/**
 * A `fetch` for the SDKs of others: what it answers to a request for a model's answer ends when the model has finished, fails as that SDK
 * understands it, and has its events in the order that the SDK counts on. Everything else passes untouched.
 *
 * @example
 * ```ts
 * const fetch = healing({ idleTimeoutMs: 60_000 });
 * const response = await fetch('http://127.0.0.1:8080/v1/chat/completions', { method: 'POST', body: '…' });
 * show(response.status);
 * ```
 */
export function healing(options: HealingOptions = {}): Fetch {
  return healingFor([chat, responses, messages], options);
}
