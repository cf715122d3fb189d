import { RequestError, type ContentBlock } from '@agentclientprotocol/sdk';
import type { InputImagePart, InputMessage, InputTextPart } from '@turnwire/wire/internal/model/items';

/**
 * A prompt of the editor as a message of the user. Blocks that a model cannot take are named, not dropped silently. Fails
 * with a `RequestError` for a prompt without content: no server is bothered with it.
 */
export function messageOf(blocks: readonly ContentBlock[]): InputMessage {
  if (blocks.every((block) => block.type === 'text' && block.text.trim() === ''))
    throw RequestError.invalidParams(undefined, 'the prompt is empty');
  return { type: 'message', role: 'user', content: blocks.map(toPart) };
}

function toPart(block: ContentBlock): InputTextPart | InputImagePart {
  switch (block.type) {
    case 'text':
      return text(block.text);
    case 'image':
      return { type: 'input_image', image_url: `data:${block.mimeType};base64,${block.data}`, detail: 'auto' };
    case 'resource_link':
      return text(`[file: ${block.uri}]`);
    case 'resource':
      return 'text' in block.resource
        ? text(`[file: ${block.resource.uri}]\n${block.resource.text}\n[end of file]`)
        : text(`[file: ${block.resource.uri}, binary, not shown]`);
    case 'audio':
      return text('[audio, which cannot be sent to this model]');
  }
}

function text(value: string): InputTextPart {
  return { type: 'input_text', text: value };
}
