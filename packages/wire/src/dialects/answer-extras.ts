import { isObject, nonEmpty, type JsonObject } from '../base/json.ts';

/**
 * What an answer of the chat wire may hold that a canonical item has no place for; a client learns their names.
 * Whose they are: `seen/sources.ts`.
 */
export const uncarriedFields = ['audio', 'images'] as const;

/** What a part of `content` without a text is called: an image, Mistral's references. `undefined`: it is no part. */
export function nameOfPart(part: unknown): string | undefined {
  return isObject(part) ? nonEmpty(part['type']) : undefined;
}

/** Citations of a chat answer in the shape of the Responses API: `{"type": "url_citation", "url_citation": {…}}`. */
export function annotationsIn(value: unknown): readonly JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).map((annotation) => {
    const { type, ...rest } = annotation;
    const inner = typeof type === 'string' ? annotation[type] : undefined;
    return isObject(inner) ? { type, ...inner } : { type, ...rest };
  });
}

/** Perplexity's list of addresses beside the choices, which says of no place in the text where it is from. */
export function annotationsOfCitations(value: unknown): readonly JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((citation) => {
    const url = nonEmpty(citation) ?? (isObject(citation) ? nonEmpty(citation['url']) : undefined);
    const title = isObject(citation) ? (nonEmpty(citation['title']) ?? '') : '';
    return url === undefined ? [] : [{ type: 'url_citation', url, title, start_index: 0, end_index: 0 }];
  });
}

/** An annotation in the shape of the chat wire. */
export function chatAnnotationOf(annotation: JsonObject): JsonObject {
  const { type, ...fields } = annotation;
  return typeof type === 'string' ? { type, [type]: fields } : annotation;
}

/** Log probabilities in a choice of a chat answer, or in an event of the Responses API: the shape of a token is the same. */
export function logprobsIn(value: unknown): readonly unknown[] {
  const tokens = isObject(value) ? value['content'] : value;
  return Array.isArray(tokens) ? tokens : [];
}
