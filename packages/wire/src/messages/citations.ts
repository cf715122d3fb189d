import { isObject, nonEmpty, omit, stringOf, type JsonObject } from '../base/json.ts';

/** The wire's citations of what a client or a search tool gave: `@anthropic-ai/sdk` 1.11.0, `TextCitation`. */
const locations: ReadonlySet<unknown> = new Set([
  'char_location',
  'page_location',
  'content_block_location',
  'search_result_location',
]);

/** Where a cited text begins and ends in the text that it is a part of, in characters. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A page that the server found is what the Responses API calls a `url_citation`; every other kind stays as it is. */
export function toAnnotation(citation: JsonObject, { start, end }: Span): JsonObject {
  if (citation['type'] !== 'web_search_result_location') return citation;
  const { url, title, ...rest } = citation;
  return {
    ...rest,
    type: 'url_citation',
    url: stringOf(url) ?? '',
    title: stringOf(title) ?? '',
    start_index: start,
    end_index: end,
  };
}

/** The citations of a client's text as the Responses API has them, without what its servers do not know. */
export function toUrlCitations(citations: unknown, text: string): JsonObject[] {
  const list: unknown[] = Array.isArray(citations) ? citations : [];
  return list.flatMap((citation) => {
    if (!isObject(citation) || citation['type'] !== 'web_search_result_location') return [];
    const { type, url, title, start_index, end_index } = toAnnotation(citation, { start: 0, end: text.length });
    return [{ type, url, title, start_index, end_index }];
  });
}

/** The citation that {@link toAnnotation} was given; undefined for an annotation of another wire. */
export function toCitation(annotation: unknown): JsonObject | undefined {
  if (!isObject(annotation)) return undefined;
  if (locations.has(annotation['type'])) return annotation;
  if (annotation['type'] !== 'url_citation' || nonEmpty(annotation['encrypted_index']) === undefined) return undefined;
  const title = nonEmpty(annotation['title']) ?? null;
  return { ...omit(omit(annotation, 'start_index'), 'end_index'), type: 'web_search_result_location', title };
}

/** A text in the blocks in which it was cited: what an annotation is of is a block, and so is what stands between. */
export function citedBlocks(text: string, annotations: unknown): JsonObject[] {
  const list: unknown[] = Array.isArray(annotations) ? annotations : [];
  const cited = list.flatMap((annotation) => {
    const citation = toCitation(annotation);
    return citation === undefined ? [] : [{ citation, span: spanOf(annotation, text) }];
  });
  if (cited.length === 0) return [{ type: 'text', text }];
  const ends = blockEnds(
    text,
    cited.flatMap(({ span }) => [span.start, span.end]),
  );
  return ends.map((end, at) => {
    const start = ends[at - 1] ?? 0;
    const citations = cited.filter(({ span }) => start < span.end && span.end <= end).map(({ citation }) => citation);
    return { type: 'text', text: text.slice(start, end), ...(citations.length === 0 ? {} : { citations }) };
  });
}

/** Where blocks end that are to end at these places: none is empty but for white space, which the API refuses. */
function blockEnds(text: string, places: readonly number[]): number[] {
  const ends: number[] = [];
  for (const place of [...new Set([...places, text.length])].sort((one, other) => one - other)) {
    if (text.slice(ends.at(-1) ?? 0, place).trim() !== '') ends.push(place);
  }
  return [...ends.slice(0, -1), text.length];
}

/** Without places of its own, or with such that are not in the text, an annotation is of all of it. */
function spanOf(annotation: unknown, { length }: string): Span {
  const { start_index: start, end_index: end } = isObject(annotation) ? annotation : {};
  const isInside = typeof start === 'number' && typeof end === 'number' && 0 <= start && start < end && end <= length;
  return isInside ? { start, end } : { start: 0, end: length };
}
