import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import { hasPrefixOf, itemIdPrefixes } from '@turnwire/wire/internal/base/minted-id';
import { overHttp, type FaultSpec, type FaultWire } from './fault.ts';
import { oneOf, word } from './args.ts';
import { refuse } from './refuse.ts';

/** Where a value stands that some server refuses, and what it says. */
const values = {
  effort: {
    message: "Unsupported value: 'reasoning_effort' does not support this value with this model.",
    isIn: ({ reasoning_effort: flat, reasoning }) =>
      [flat, isObject(reasoning) ? reasoning.effort : undefined].some((effort) => NEW_EFFORTS.has(effort)),
  },
  developer: {
    message: "developer is not one of ['system', 'assistant', 'user', 'tool'] - 'messages.0.role'",
    isIn: (body) => turnsIn(body).some(({ role }) => role === 'developer'),
  },
  'json-schema': {
    message: 'This response_format type is unavailable now',
    isIn: ({ response_format: format, text }) =>
      [format, isObject(text) ? text.format : undefined].some((one) => isObject(one) && one.type === 'json_schema'),
  },
  'text-parts': {
    message: 'messages.0.content: Input should be a valid string',
    isIn: (body) => turnsIn(body).some(({ content }) => Array.isArray(content)),
  },
  'tool-parameters': {
    message: `Invalid schema for function: schema must be a JSON Schema of 'type: "object"'.`,
    isIn: ({ tools }) =>
      objectsIn(tools)
        .map(parametersOf)
        .some((schema) => !isObject(schema) || schema.type !== 'object'),
  },
  'item-ids': {
    message: "Invalid 'input[].id'. Expected an ID that begins with the prefix of its type.",
    isIn: ({ input }) => objectsIn(input).some(hasOddId),
  },
  'raw-reasoning': {
    message: "Invalid 'input[].content': array too long. Expected an array with maximum length 0.",
    isIn: ({ input }) => objectsIn(input).some(isRawReasoning),
  },
} as const satisfies Readonly<Record<string, { readonly message: string; isIn(body: JsonObject): boolean }>>;

const NEW_EFFORTS: ReadonlySet<unknown> = new Set(['minimal', 'xhigh', 'max', 'none']);

const valueNames = Object.keys(values) as (keyof typeof values)[];

/** Faults of servers that refuse requests which others take. */
export const requestFaults: readonly FaultSpec[] = [
  {
    name: 'param-refused',
    args: 'NAME',
    summary:
      'HTTP 400 that names NAME, for a request that has a member of that name anywhere: servers and models that do not know it.',
    wires: overHttp,
    create: (arg) => {
      const name = word('param-refused', arg);
      return {
        head: (head, context) => {
          if (!hasMember(context.request.body, name)) return;
          const message = refusedWords[context.wire](name);
          const openai = { type: 'invalid_request_error', param: name, code: 'unsupported_parameter' };
          refuse(head, context, 400, { message, openai });
        },
      };
    },
  },
  {
    name: 'value-refused',
    args: '[WHAT]',
    choices: valueNames,
    summary:
      'HTTP 400 for a value that others take: a newer effort (default; Ollama), developer, json-schema (DeepSeek), text-parts, tool-parameters without an object schema, item-ids of others, raw-reasoning (OpenAI).',
    wires: ['chat', 'responses'],
    create: (arg) => {
      const { message, isIn } = values[oneOf('value-refused', arg, valueNames, 'effort')];
      return {
        head: (head, context) => {
          if (isIn(context.request.body)) refuse(head, context, 400, { message });
        },
      };
    },
  },
  {
    name: 'system-between-turns',
    summary:
      'HTTP 500 for a system message behind another one: llama.cpp with the templates of Qwen and Mistral, which allow it at the beginning alone.',
    wires: overHttp,
    create: () => ({
      head: (head, context) => {
        const isSystem = turnsIn(context.request.body).map(({ role }) => role === 'system' || role === 'developer');
        const begun = isSystem.indexOf(false);
        if (begun < 0 || !isSystem.includes(true, begun)) return;
        refuse(head, context, 500, { message: 'Jinja Exception: System message must be at the beginning.' });
      },
    }),
  },
  {
    name: 'image-refused',
    summary: 'HTTP 400 for a request with an image: models that read text alone, such as those of DeepSeek.',
    wires: overHttp,
    create: () => ({
      head: (head, context) => {
        const { body } = context.request;
        if (!hasImage(body.messages ?? body.input)) return;
        const message = 'Failed to deserialize the JSON body: unknown variant `image_url`, expected `text`';
        refuse(head, context, 400, { message });
      },
    }),
  },
];

const openaiWords = (name: string): string => `Unsupported parameter: '${name}' is not supported with this model.`;

/** How each API names a member that it does not take. */
const refusedWords: Readonly<Record<FaultWire, (name: string) => string>> = {
  chat: openaiWords,
  responses: openaiWords,
  messages: (name) => `${name}: Extra inputs are not permitted`,
  websocket: openaiWords,
};

/** The messages of a request, or what a Responses request has in their place. */
function turnsIn({ messages, input }: JsonObject): readonly JsonObject[] {
  return objectsIn(messages ?? input);
}

function objectsIn(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? (list as unknown[]).filter(isObject) : [];
}

/** What a function of either wire takes; tools of other types are as they are. */
function parametersOf(tool: JsonObject): unknown {
  if (tool.type !== 'function') return OBJECT;
  return isObject(tool.function) ? tool.function.parameters : tool.parameters;
}

const OBJECT = { type: 'object' };

function hasOddId({ type = 'message', id }: JsonObject): boolean {
  return typeof id === 'string' && itemIdPrefixes.has(type) && !hasPrefixOf(type, id);
}

function isRawReasoning({ type, content }: JsonObject): boolean {
  return type === 'reasoning' && Array.isArray(content) && content.length > 0;
}

/** Looks at members of members too, but not into what a tool or a schema calls its own. */
function hasMember(value: unknown, name: string): boolean {
  if (Array.isArray(value)) return value.some((one) => hasMember(one, name));
  if (!isObject(value)) return false;
  return Object.entries(value).some(
    ([key, inner]) => key === name || (key !== 'parameters' && key !== 'schema' && hasMember(inner, name)),
  );
}

function hasImage(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasImage);
  if (!isObject(value)) return false;
  return (
    value.type === 'image_url' ||
    value.type === 'input_image' ||
    value.type === 'image' ||
    Object.values(value).some(hasImage)
  );
}
