import { fromBase64Url, toBase64Url } from '../base/base64url.ts';

/** What the wire takes as the id of a `tool_use` block. */
const LEGAL = /^[a-zA-Z0-9_-]+$/;

/** Begins an id that stands for another one. */
const REPLACED = 'tw1_';

/** An id of a call as this wire takes it: itself, or a replacement of which {@link fromCallId} makes it again. */
export function toCallId(id: string): string {
  return LEGAL.test(id) && !id.startsWith(REPLACED) ? id : REPLACED + toBase64Url(id);
}

/** The id that {@link toCallId} was given; an id that it did not make is itself. */
export function fromCallId(id: string): string {
  return (id.startsWith(REPLACED) ? fromBase64Url(id.slice(REPLACED.length)) : undefined) ?? id;
}
