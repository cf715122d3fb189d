import { isObject, nonEmpty, omit, stringOf, type JsonObject } from '../base/json.ts';
import { isOfChat } from './carried.ts';
import { membersFor } from './members-for.ts';

/** How the parts of one content are written. */
export interface PartWriting {
  /** Whose server they go to. */
  readonly maker: string | undefined;
  /** Told of a part that was left out, and its place in the content. */
  readonly onSkip: (part: JsonObject, place: number) => void;
}

/**
 * All text of a content: a string, or its text, refusal and reasoning parts, joined by a line end as servers join them
 * that take parts (llama.cpp, vLLM): glued together they would be other words.
 */
export function textOfParts(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => textOfPart(part) ?? '')
    .filter((text) => text !== '')
    .join('\n');
}

/**
 * The content of a message: a string while there is only text, else chat parts in their order. Texts that a chat client
 * sent in parts stay parts, each with what stood beside it: it knows its server. Not every server takes text in parts.
 */
export function toChatContent(content: unknown, writing: PartWriting): string | JsonObject[] {
  if (!Array.isArray(content)) return stringOf(content) ?? '';
  const parts = content
    .map((part: unknown, place) => toChatPart(part, place, writing))
    .filter((part) => part !== undefined)
    .filter(({ text }) => text !== '');
  if (parts.length === 0) return '';
  return parts.every(isText) && !content.some(isOfChat) ? textOfParts(content) : parts;
}

function isText(part: JsonObject): boolean {
  return part.type === 'text' || part.type === 'refusal';
}

/**
 * The content of a `tool` message. Images that it cannot hold come back apart, as parts of a `user` message that says
 * where they belong.
 */
export function toToolContent(
  output: unknown,
  imagesAllowed: boolean,
  writing: PartWriting,
): { readonly content: string | JsonObject[]; readonly images: readonly JsonObject[] } {
  if (!Array.isArray(output)) return { content: stringOf(output) ?? JSON.stringify(output), images: [] };
  const content = toChatContent(output, writing);
  if (typeof content === 'string' || imagesAllowed || content.every(isText)) return { content, images: [] };
  const images = content.filter((part) => !isText(part));
  const text = textOfParts(output);
  const pointer = '(the image of this result follows in the next message)';
  return { content: text === '' ? pointer : `${text}\n${pointer}`, images };
}

function toChatPart(part: unknown, place: number, { maker, onSkip }: PartWriting): JsonObject | undefined {
  const fields = isObject(part) ? part : {};
  const beside = membersFor(part, maker);
  const text = textOfPart(part);
  if (text !== undefined) return { ...beside, ...textPart(fields, text) };
  const mapped = toMediaPart(fields, beside);
  if (mapped === undefined) onSkip(fields, place);
  return mapped;
}

/** A refusal keeps its type where a chat client sent it; servers know it in what the assistant said. */
function textPart(part: JsonObject, text: string): JsonObject {
  return part.type === 'refusal' && isOfChat(part) ? { type: 'refusal', refusal: text } : { type: 'text', text };
}

function toMediaPart(part: JsonObject, beside: JsonObject): JsonObject | undefined {
  switch (part.type) {
    case 'input_image': {
      const url = nonEmpty(part.image_url);
      if (url === undefined) return undefined;
      const detail = nonEmpty(part.detail);
      const image_url = { url, ...(detail === undefined || detail === 'auto' ? {} : { detail }) };
      return { ...beside, type: 'image_url', image_url: { ...innerOf(beside.image_url), ...image_url } };
    }
    case 'input_file': {
      const { file_data, file_id, filename } = part;
      if (file_data === undefined && file_id === undefined) return undefined;
      const given = Object.entries({ file_data, file_id, filename }).filter(([, value]) => value !== undefined);
      return { ...beside, type: 'file', file: { ...innerOf(beside.file), ...Object.fromEntries(given) } };
    }
    default:
      if (isOfChat(part)) return omit(part, 'carried');
      return part.type === 'input_audio' && isObject(part.input_audio)
        ? { type: 'input_audio', input_audio: part.input_audio }
        : undefined;
  }
}

function innerOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function textOfPart(part: unknown): string | undefined {
  if (!isObject(part)) return undefined;
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
    case 'reasoning_text':
    case 'summary_text':
      return stringOf(part.text);
    case 'refusal':
      return stringOf(part.refusal);
    default:
      return undefined;
  }
}
