import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
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
      'HTTP 400 for a value that newer servers take: an effort that newer models have (effort, default; Ollama), the role developer (most local servers), a json-schema (DeepSeek), text-parts in place of one text.',
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
  const turns = messages ?? input;
  return Array.isArray(turns) ? (turns as unknown[]).filter(isObject) : [];
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
