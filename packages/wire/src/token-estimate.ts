import { isObject, type JsonObject } from './base/json.ts';

/** Characters of text for one token, and tokens of one picture or document: an estimate, as Ollama makes it. */
const CHARACTERS = 4;
const PICTURE = 1500;

/** Roughly how many tokens a request has, of any wire. The data of a picture or a document is no text: its length says nothing. */
export function estimateTokens({ system, messages, instructions, input, tools }: JsonObject): number {
  const size = { characters: 0, pictures: 0 };
  for (const part of [system, messages, instructions, input, tools]) measure(part, size);
  return Math.max(1, Math.ceil(size.characters / CHARACTERS) + size.pictures * PICTURE);
}

function measure(value: unknown, size: { characters: number; pictures: number }): void {
  if (typeof value === 'string') size.characters += value.length;
  else if (Array.isArray(value)) for (const one of value) measure(one, size);
  else if (isObject(value)) {
    const isData = isObject(value.source) && value.source.type !== 'text' && value.source.type !== 'content';
    if (isData || value.type === 'input_image' || value.type === 'input_file') size.pictures += 1;
    else for (const one of Object.values(value)) measure(one, size);
  }
}
