import { isObject, nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import { membersOf } from './carried.ts';
import { citedBlocks } from './citations.ts';

/** Told why a part was left out. */
export type OnSkip = (why: string) => void;

/** What a user says, or a tool answers, as blocks: none of them empty, which servers refuse. */
export function toBlocks(content: unknown, onSkip: OnSkip): JsonObject[] {
  if (typeof content === 'string') return textBlocks(content);
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: unknown) => toBlock(isObject(part) ? part : {}, onSkip));
}

/** A text as a block, unless there is nothing in it but white space. */
export function textBlocks(text: string, members: JsonObject = {}): JsonObject[] {
  return text.trim() === '' ? [] : [{ type: 'text', text, ...members }];
}

/** What an output says: a text as it is, parts as blocks. */
export function toResultContent(output: unknown, onSkip: OnSkip): string | JsonObject[] {
  if (typeof output === 'string') return output;
  if (!Array.isArray(output)) return output === undefined ? '' : JSON.stringify(output);
  return toBlocks(output, onSkip);
}

function toBlock(part: JsonObject, onSkip: OnSkip): JsonObject[] {
  const members = membersOf(part);
  if (typeof members['type'] === 'string') return [members];
  switch (part['type']) {
    case 'output_text': {
      const text = stringOf(part['text']) ?? '';
      // A client of this wire has them in its own form.
      if (text.trim() !== '' && members['citations'] === undefined)
        return citedBlocks(text, part['annotations']).map((block) => ({ ...block, ...members }));
      return textBlocks(text, members);
    }
    case 'input_text':
    case 'text':
      return textBlocks(stringOf(part['text']) ?? '', members);
    case 'refusal':
      return textBlocks(stringOf(part['refusal']) ?? '', members);
    case 'input_image':
    case 'input_file': {
      const block = part['type'] === 'input_image' ? imageBlock(part) : documentBlock(part);
      if (block !== undefined) return [{ ...block, ...members }];
      onSkip(`a file that a Messages request has no form for`);
      return [];
    }
    default:
      onSkip(`a part of type ${JSON.stringify(part['type'] ?? null)} that a Messages request has no form for`);
      return [];
  }
}

function imageBlock(part: JsonObject): JsonObject | undefined {
  const url = nonEmpty(part['image_url']);
  return url === undefined ? undefined : { type: 'image', source: sourceOf(url) };
}

/** PDF as data or by its address, and text. */
function documentBlock(part: JsonObject): JsonObject | undefined {
  const title = nonEmpty(part['filename']);
  const named = title === undefined ? {} : { title };
  const url = nonEmpty(part['file_url']);
  if (url !== undefined) return { type: 'document', source: { type: 'url', url }, ...named };
  const source = sourceOf(nonEmpty(part['file_data']) ?? '');
  return source['media_type'] === 'application/pdf' ? { type: 'document', source, ...named } : undefined;
}

function sourceOf(url: string): JsonObject {
  const [, media_type, data] = /^data:([^;,]+)(?:;[^,]*)?;base64,(.*)$/s.exec(url) ?? [];
  return media_type === undefined ? { type: 'url', url } : { type: 'base64', media_type, data };
}
