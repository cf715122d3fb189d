import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';

/** An item as the API lists it: the content of a message is a list there, also where it was sent as a string. */
export function listedItem(item: Item): Item {
  const { type, role, content } = item as JsonObject;
  if ((type ?? 'message') !== 'message' || typeof content !== 'string') return item;
  const part =
    role === 'assistant'
      ? { type: 'output_text', text: content, annotations: [] }
      : { type: 'input_text', text: content };
  return { ...item, type: 'message', content: [part] };
}
