import { fromBase64Url, toBase64Url } from '../base/base64url.ts';

/** Asks a model for what takes the place of a conversation that has become too long. */
export const SUMMARY_ASK = `Write a summary of this conversation for yourself: it will replace the conversation, and the work goes on from it.
State what the user asked for, in their words where they matter; what was done, with file names and commands; what was found out; what is left to do, and the next step. Write nothing else.`;

/** Stands before the summary where the conversation goes on. */
export const SUMMARY_HEAD = 'Summary of the conversation so far (the older messages were left out to make room):';

const PREFIX = 'turnwire-summary:';

/**
 * A summary as the `encrypted_content` of a `compaction` item, which clients keep and send back unread. It is no secret: who has it has
 * the conversation. So any process can read what another one made, after a restart too (docs/contract.md section 3.12).
 */
export function sealSummary(text: string): string {
  return PREFIX + toBase64Url(text);
}

/** The summary in such a text; undefined for what others made, and for a text that was damaged. */
export function openSummary(text: unknown): string | undefined {
  return typeof text === 'string' && text.startsWith(PREFIX) ? fromBase64Url(text.slice(PREFIX.length)) : undefined;
}
