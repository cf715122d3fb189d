import { isObject, nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import { optionalString, requireArray, requireObject, requireString, wrongType } from '../request-fields.ts';
import { carriedFrom, carriedWhole } from './carried.ts';

/** The texts of a list that may hold text blocks only. */
export function textBlocks(list: readonly unknown[], param: string): string[] {
  return list.map((value, place) => {
    const at = `${param}[${place}]`;
    return requireString(requireObject(value, at).text, `${at}.text`);
  });
}

/** A string or a list of blocks as such a list; `param` is its path. */
export function blocksOf(value: unknown, param: string): JsonObject[] {
  if (typeof value === 'string') return [{ type: 'text', text: value }];
  if (!Array.isArray(value)) throw wrongType(param, 'a string or an array', value);
  return value.map((block: unknown, place) => requireObject(block, `${param}[${place}]`));
}

/** The `type` of a block. */
export function typeOf(block: JsonObject, param: string): string {
  return requireString(block.type, `${param}.type`);
}

/** What a user, or the result of a tool, says in one block, as a part in the Responses API's shape. */
export function inputPart(block: JsonObject, param: string): JsonObject {
  switch (typeOf(block, param)) {
    case 'text': {
      const text = requireString(block.text, `${param}.text`);
      return { type: 'input_text', text, ...carriedFrom(block, ['type', 'text']) };
    }
    case 'image':
      return imagePart(block, param);
    case 'document':
      return { ...documentPart(block, param), ...carriedWhole(block) };
    case 'search_result':
      return { type: 'input_text', text: searchText(block, param), ...carriedWhole(block) };
    case 'tool_reference':
      return { type: 'input_text', text: stringOf(block.tool_name) ?? '', ...carriedWhole(block) };
    default:
      return { type: block.type, ...carriedWhole(block) };
  }
}

function imagePart(block: JsonObject, param: string): JsonObject {
  const at = `${param}.source`;
  const source = requireObject(block.source, at);
  const carried = carriedFrom(block, ['type', 'source']);
  switch (source.type) {
    case 'base64':
      return { type: 'input_image', image_url: dataUrl(source, at), detail: 'auto', ...carried };
    case 'url':
      return { type: 'input_image', image_url: requireString(source.url, `${at}.url`), detail: 'auto', ...carried };
    default:
      return { type: 'input_image', file_id: requireString(source.file_id, `${at}.file_id`), ...carriedWhole(block) };
  }
}

function dataUrl({ media_type, data }: JsonObject, at: string): string {
  return `data:${requireString(media_type, `${at}.media_type`)};base64,${requireString(data, `${at}.data`)}`;
}

/** Text of a document is text with its title; other documents are files. */
function documentPart(block: JsonObject, param: string): JsonObject {
  const at = `${param}.source`;
  const source = requireObject(block.source, at);
  const title = nonEmpty(optionalString(block.title, `${param}.title`));
  switch (source.type) {
    case 'text':
      return { type: 'input_text', text: titled(title, requireString(source.data, `${at}.data`)) };
    case 'content':
      return { type: 'input_text', text: titled(title, textsOf(source.content, `${at}.content`)) };
    case 'base64':
      return { type: 'input_file', filename: title ?? 'document.pdf', file_data: dataUrl(source, at) };
    case 'url':
      return { type: 'input_file', file_url: requireString(source.url, `${at}.url`) };
    default:
      return { type: 'input_file', file_id: requireString(source.file_id, `${at}.file_id`) };
  }
}

function searchText(block: JsonObject, param: string): string {
  const head = [block.title, block.source].map(nonEmpty).filter((text) => text !== undefined);
  return titled(head.length === 0 ? undefined : head.join(' '), textsOf(block.content, `${param}.content`));
}

function textsOf(value: unknown, param: string): string {
  if (typeof value === 'string') return value;
  const texts = requireArray(value, param).map((part) => (isObject(part) ? nonEmpty(part.text) : undefined));
  return texts.filter((text) => text !== undefined).join('\n');
}

function titled(title: string | undefined, text: string): string {
  return title === undefined ? text : `${title}\n\n${text}`;
}
