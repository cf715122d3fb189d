import { isObject, nonEmpty, stringOf, type JsonObject } from '../base/json.ts';

/** Told why a part was left out. */
export type OnSkip = (why: string) => void;

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

/** The content of a user or system message: a string while there is only text, else chat parts in their order. */
export function toChatContent(content: unknown, onSkip: OnSkip): string | JsonObject[] {
  if (!Array.isArray(content)) return stringOf(content) ?? '';
  const parts = content
    .map((part: unknown) => toChatPart(part, onSkip))
    .filter((part) => part !== undefined)
    .filter(({ text }) => text !== '');
  return parts.every((part) => part.type === 'text') ? textOfParts(content) : parts;
}

/**
 * The content of a `tool` message. Images that it cannot hold come back apart, as parts of a `user` message that says
 * where they belong.
 */
export function toToolContent(
  output: unknown,
  imagesAllowed: boolean,
  onSkip: OnSkip,
): { readonly content: string | JsonObject[]; readonly images: readonly JsonObject[] } {
  if (!Array.isArray(output)) return { content: stringOf(output) ?? JSON.stringify(output), images: [] };
  const content = toChatContent(output, onSkip);
  if (typeof content === 'string' || imagesAllowed) return { content, images: [] };
  const images = content.filter((part) => part.type !== 'text');
  const text = textOfParts(output);
  const pointer = '(the image of this result follows in the next message)';
  return { content: text === '' ? pointer : `${text}\n${pointer}`, images };
}

function toChatPart(part: unknown, onSkip: OnSkip): JsonObject | undefined {
  const text = textOfPart(part);
  if (text !== undefined) return { type: 'text', text };
  const fields = isObject(part) ? part : {};
  const mapped = toMediaPart(fields);
  if (mapped === undefined)
    onSkip(`a part of type ${JSON.stringify(fields.type ?? null)} that a chat request has no form for`);
  return mapped;
}

function toMediaPart(part: JsonObject): JsonObject | undefined {
  switch (part.type) {
    case 'input_image': {
      const url = nonEmpty(part.image_url);
      if (url === undefined) return undefined;
      const detail = nonEmpty(part.detail);
      return {
        type: 'image_url',
        image_url: { url, ...(detail === undefined || detail === 'auto' ? {} : { detail }) },
      };
    }
    case 'input_audio':
      return isObject(part.input_audio) ? { type: 'input_audio', input_audio: part.input_audio } : undefined;
    case 'input_file': {
      const { file_data, file_id, filename } = part;
      if (file_data === undefined && file_id === undefined) return undefined;
      const given = Object.entries({ file_data, file_id, filename }).filter(([, value]) => value !== undefined);
      return { type: 'file', file: Object.fromEntries(given) };
    }
    case 'video_url': // only chat clients send these, and only to servers that know them
    case 'audio_url':
      return part;
    default:
      return undefined;
  }
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
