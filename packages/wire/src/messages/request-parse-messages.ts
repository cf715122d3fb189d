import { nonEmpty, type JsonObject } from '../base/json.ts';
import type { Item } from '../model/items.ts';
import {
  InvalidFieldError,
  isAbsent,
  optionalBoolean,
  optionalString,
  requireObject,
  requireString,
} from '../request-fields.ts';
import { sealThinking } from '../sealed-thinking.ts';
import { isServerBlock } from '../server-blocks.ts';
import { fromCallId } from './call-id.ts';
import { carriedFrom, carriedWhole } from './carried.ts';
import { toUrlCitations } from './citations.ts';
import { blocksOf, inputPart, typeOf } from './request-parse-content.ts';
import { fromSignature } from './signature.ts';

/** Reads messages into items, each where it stood: what the system says between two turns too. */
export function fromMessages(messages: readonly unknown[]): Item[] {
  return messages.flatMap((message, place) => {
    const param = `messages[${place}]`;
    const fields = requireObject(message, param);
    switch (requireString(fields.role, `${param}.role`)) {
      case 'user':
        return userItems(fields.content, `${param}.content`);
      case 'assistant':
        return assistantItems(fields.content, `${param}.content`, place);
      case 'system':
        return [systemItem(fields.content, `${param}.content`)];
      default:
        throw new InvalidFieldError(`${param}.role`, 'expected user, assistant or system');
    }
  });
}

function systemItem(content: unknown, param: string): Item {
  const parts = inputParts(blocksOf(content, param), param);
  const text = parts.map((part) => nonEmpty(part.text)).filter((one) => one !== undefined);
  return {
    type: 'message',
    role: 'developer',
    content: text.join('\n\n'),
    ...carriedWhole({ role: 'system', content }),
  };
}

/** The results of calls, and behind them what else the user says. */
function userItems(content: unknown, param: string): Item[] {
  if (typeof content === 'string') return [{ type: 'message', role: 'user', content }];
  const blocks = blocksOf(content, param).map((block, place) => ({ block, at: `${param}[${place}]` }));
  const isResult = ({ block }: { readonly block: JsonObject }): boolean => block.type === 'tool_result';
  const outputs = blocks.filter(isResult).map(({ block, at }) => outputItem(block, at));
  const parts = blocks.filter((one) => !isResult(one)).map(({ block, at }) => inputPart(block, at));
  const said = parts.filter((part) => !isBareText(part) || part.text !== '');
  if (said.length === 0 && outputs.length > 0) return outputs;
  return [...outputs, { type: 'message', role: 'user', content: said as { type: 'input_text'; text: string }[] }];
}

function isBareText(part: JsonObject): boolean {
  return part.type === 'input_text' && part.carried === undefined;
}

function inputParts(blocks: readonly JsonObject[], param: string): JsonObject[] {
  return blocks.map((block, place) => inputPart(block, `${param}[${place}]`));
}

/** Stands before the result of a call that failed where the result itself does not say so. */
export const ERROR_MARK = '[error] ';

const TELLS_ERROR = /error|fail|exception|denied|refused|not found|no such|invalid|abort|exit code [1-9]/i;

function outputItem(block: JsonObject, param: string): Item {
  const call_id = fromCallId(requireString(block.tool_use_id, `${param}.tool_use_id`));
  const output = outputOf(block.content, `${param}.content`);
  const failed = optionalBoolean(block.is_error, `${param}.is_error`) === true;
  const marked = failed && typeof output === 'string' && !TELLS_ERROR.test(output) ? ERROR_MARK + output : output;
  const carried = carriedFrom(block, ['type', 'tool_use_id', 'content']);
  return { type: 'function_call_output', call_id, output: marked, ...carried };
}

/** A text where all of it is text, else its parts. */
function outputOf(content: unknown, param: string): string | JsonObject[] {
  if (isAbsent(content)) return '';
  const parts = inputParts(blocksOf(content, param), param);
  const texts = parts.map((part) => (isBareText(part) ? String(part.text) : undefined));
  return texts.every((text) => text !== undefined) ? texts.filter((text) => text !== '').join('\n') : parts;
}

/** What Claude Code writes for an answer without a word. */
const NO_CONTENT = '(no content)';

/** Blocks of one answer as items in their order; texts that follow each other are one message. */
function assistantItems(content: unknown, param: string, place: number): Item[] {
  const blocks = blocksOf(content, param);
  const isEmpty = ({ type, text }: JsonObject): boolean => type === 'text' && (text === '' || text === NO_CONTENT);
  const allEmpty = blocks.every(isEmpty);
  const items: Item[] = [];
  let said: JsonObject[] | undefined;
  for (const [index, block] of blocks.entries()) {
    if (allEmpty ? index > 0 : isEmpty(block)) continue;
    const at = `${param}[${index}]`;
    if (typeOf(block, at) !== 'text') {
      said = undefined;
      items.push(assistantItem(block, at, `rs_msg${place}_${index}`));
      continue;
    }
    const text = requireString(block.text, `${at}.text`);
    const annotations = toUrlCitations(block.citations, text);
    const part = { type: 'output_text', text, annotations, ...carriedFrom(block, ['type', 'text']) };
    if (said === undefined) {
      said = [];
      items.push({ type: 'message', role: 'assistant', status: 'completed', content: said });
    }
    said.push(part);
  }
  return items;
}

function assistantItem(block: JsonObject, param: string, id: string): Item {
  switch (block.type) {
    case 'thinking':
      return reasoningItem(block, param, id);
    case 'redacted_thinking':
      return { type: 'reasoning', id, summary: [], encrypted_content: sealThinking(block) };
    case 'tool_use':
      return {
        type: 'function_call',
        call_id: fromCallId(requireString(block.id, `${param}.id`)),
        name: requireString(block.name, `${param}.name`),
        arguments: JSON.stringify(block.input ?? {}),
        ...carriedFrom(block, ['type', 'id', 'name', 'input']),
      };
    default:
      if (isServerBlock(block)) return block;
      return { ...carriedWhole(block), type: String(block.type) };
  }
}

/** Thinking that turnwire signed becomes the item that it was; what others signed is sealed with its text. */
function reasoningItem(block: JsonObject, param: string, id: string): Item {
  const text = optionalString(block.thinking, `${param}.thinking`) ?? '';
  const signature = optionalString(block.signature, `${param}.signature`) ?? '';
  const state = fromSignature(signature);
  const raw = text === '' ? {} : { content: [{ type: 'reasoning_text' as const, text }] };
  if (state === undefined) {
    return {
      type: 'reasoning',
      id,
      summary: [],
      ...raw,
      ...(signature === '' ? {} : { encrypted_content: sealThinking(block) }),
    };
  }
  const told = text === '' ? [] : [{ type: 'summary_text' as const, text }];
  const body = state.raw === true ? { summary: [], ...raw } : { summary: told };
  const sealed = state.encrypted === undefined ? {} : { encrypted_content: state.encrypted };
  return { type: 'reasoning', id: state.id ?? id, ...body, ...sealed };
}
