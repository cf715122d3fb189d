import type { JsonObject } from '@turnwire/wire/internal/base/json';

/** What the doctor asks for; the same question in the words of each wire. */
export interface Question {
  readonly text: string;
  /** Bound of the answer, in tokens. */
  readonly limit: number;
  readonly stream?: boolean;
  /** Chat: ask for usage. Default true. */
  readonly usage?: boolean;
  /** Offer the two tools. `forced` demands one of them. */
  readonly tools?: 'offered' | 'required' | 'forced';
  /** A call of the round before, with its output. */
  readonly earlierCall?: boolean;
  readonly schema?: boolean;
  /** A small image beside the text. */
  readonly image?: boolean;
  /** What a developer says, an effort that only newer models know, a text in parts, and what else has a default. */
  readonly settings?: boolean;
  /** The system speaks once more, behind an earlier turn. */
  readonly systemBetween?: boolean;
  /** A tool with no more of a schema than the wire asks for and, on Responses, items as other servers make them. */
  readonly others?: boolean;
  readonly more?: JsonObject;
}

/** Long enough that a proxy which holds it back gives itself away, short enough for any model. */
const LONG = Array.from({ length: 150 }, (_, i) => String(i + 1)).join(' ');

const OBEY = 'Follow each line below that begins with a slash, and say nothing else.\n';

/**
 * The questions. A line `/say`, `/think` or `/call` is an instruction that models understand, and that the mock's
 * own scenario follows to the letter.
 */
export const questions = {
  answer: { text: `${OBEY}/say Grüße aus Zürich: 10 °C, 20 €, 3 ½ Äpfel, 🌍 und 🚀. Das war es schon.`, limit: 256 },
  pace: { text: `${OBEY}/say ${LONG}`, limit: 400 },
  unasked: { text: `${OBEY}/say Hello.`, limit: 64, usage: false },
  body: { text: `${OBEY}/say Hello.`, limit: 64, stream: false },
  limit: { text: `${OBEY}/say ${LONG}`, limit: 8 },
  tool: { text: `${OBEY}/call get_weather {"city":"Paris","unit":"celsius"}`, limit: 400, tools: 'forced' },
  parallel: {
    text: `${OBEY}/call get_weather {"city":"Paris","unit":"celsius"}\n/call get_time {"zone":"Europe/Paris"}`,
    limit: 400,
    tools: 'required',
  },
  toolResult: { text: 'What is the weather in Paris?', limit: 128, tools: 'offered', earlierCall: true },
  schema: { text: `${OBEY}/say {"city":"Paris","degrees":21}`, limit: 256, schema: true },
  image: { text: `${OBEY}/say A white square.`, limit: 64, image: true },
  settings: { text: `${OBEY}/say Hello.`, limit: 400, tools: 'offered', settings: true },
  systemBetween: { text: `${OBEY}/say Hello.`, limit: 64, systemBetween: true },
  others: { text: `${OBEY}/say Hello.`, limit: 64, tools: 'offered', others: true },
  reasoning: { text: `${OBEY}/think Two and two are four.\n/say 4`, limit: 400 },
} as const satisfies Readonly<Record<string, Question>>;

export type QuestionName = keyof typeof questions;

const DEVELOPER = 'Answer in one line.';

/** On each wire alike. */
const earlierTurn = [
  { role: 'user', content: 'Hello.' },
  { role: 'assistant', content: 'Hello.' },
  { role: 'system', content: DEVELOPER },
];

/** Raw reasoning, and an id without the prefix of its type: a conversation that began with another server. */
const itemsOfOthers = [
  { type: 'message', role: 'user', content: 'Hello.' },
  { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'A greeting.' }] },
  { type: 'message', id: 'item_2', role: 'assistant', content: [{ type: 'output_text', text: 'Hello.' }] },
];

/** Settings that are spelled alike on the wires of OpenAI. */
const settings = { temperature: 1, top_p: 1, parallel_tool_calls: true };

/** Properties of the tools that are offered, by name. */
export const toolSchemas: Readonly<Record<string, JsonObject>> = {
  get_weather: { city: { type: 'string' }, unit: { type: 'string' } },
  get_time: { zone: { type: 'string' } },
};

const parameters = Object.fromEntries(
  Object.entries(toolSchemas).map(([name, properties]) => [name, objectSchema(properties)]),
);

/** The tools of a question; `least` is what a wire asks of a schema. */
function schemasOf({ others }: Question, least: JsonObject): Readonly<Record<string, JsonObject>> {
  return others === true ? { get_date: least } : parameters;
}

function objectSchema(properties: JsonObject): JsonObject {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

const schema = objectSchema({ city: { type: 'string' }, degrees: { type: 'integer' } });

/** One white pixel, as PNG in base64. */
const WHITE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC';

const PIXEL = `data:image/png;base64,${WHITE}`;

/** The body of a question on the chat wire. */
export function chatBody(question: Question, model: string): JsonObject {
  const { limit, stream = true, usage = true, tools } = question;
  const call = { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Paris"}' } };
  const messages = [
    ...(question.settings === true ? [{ role: 'developer', content: DEVELOPER }] : []),
    ...(question.systemBetween === true ? earlierTurn : []),
    {
      role: 'user',
      content: chatContent(question),
    },
    ...(question.earlierCall === true
      ? [
          { role: 'assistant', content: null, tool_calls: [call] },
          { role: 'tool', tool_call_id: 'call_1', content: '21 degrees' },
        ]
      : []),
  ];
  return {
    model,
    messages,
    stream,
    ...(stream && usage ? { stream_options: { include_usage: true } } : {}),
    max_tokens: limit,
    ...(tools === undefined ? {} : { tools: chatTools(question), ...chatChoice(tools) }),
    ...(question.schema === true
      ? { response_format: { type: 'json_schema', json_schema: { name: 'weather', schema, strict: true } } }
      : {}),
    ...(question.settings === true ? { ...settings, reasoning_effort: 'minimal' } : {}),
    ...question.more,
  };
}

function chatContent({ text, image, settings }: Question): unknown {
  const part = { type: 'text', text };
  if (image === true) return [part, { type: 'image_url', image_url: { url: PIXEL } }];
  return settings === true ? [part] : text;
}

function chatTools(question: Question): JsonObject[] {
  return Object.entries(schemasOf(question, {})).map(([name, value]) => ({
    type: 'function',
    function: { name, parameters: value },
  }));
}

function chatChoice(tools: NonNullable<Question['tools']>): JsonObject {
  if (tools === 'offered') return {};
  return { tool_choice: tools === 'required' ? 'required' : { type: 'function', function: { name: 'get_weather' } } };
}

/** The body of a question on the Responses wire. */
export function responsesBody(question: Question, model: string): JsonObject {
  const { text, limit, stream = true, tools } = question;
  const call = { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Paris"}' };
  const images = question.image === true ? [{ type: 'input_image', image_url: PIXEL, detail: 'auto' }] : [];
  const input = [
    ...(question.settings === true ? [{ type: 'message', role: 'developer', content: DEVELOPER }] : []),
    ...(question.systemBetween === true ? earlierTurn : []),
    ...(question.others === true ? itemsOfOthers : []),
    { type: 'message', role: 'user', content: [{ type: 'input_text', text }, ...images] },
    ...(question.earlierCall === true
      ? [call, { type: 'function_call_output', call_id: 'call_1', output: '21 degrees' }]
      : []),
  ];
  return {
    model,
    input,
    stream,
    max_output_tokens: limit,
    ...(tools === undefined ? {} : { tools: responsesTools(question), ...responsesChoice(tools) }),
    ...(question.schema === true
      ? { text: { format: { type: 'json_schema', name: 'weather', schema, strict: true } } }
      : {}),
    ...(question.settings === true ? { ...settings, reasoning: { effort: 'minimal' } } : {}),
    ...question.more,
  };
}

function responsesTools(question: Question): JsonObject[] {
  return Object.entries(schemasOf(question, {})).map(([name, value]) => ({
    type: 'function',
    name,
    parameters: value,
  }));
}

function responsesChoice(tools: NonNullable<Question['tools']>): JsonObject {
  if (tools === 'offered') return {};
  return { tool_choice: tools === 'required' ? 'required' : { type: 'function', name: 'get_weather' } };
}

/** The body of a question on the Messages wire. */
export function messagesBody(question: Question, model: string): JsonObject {
  const { text, limit, stream = true, tools } = question;
  const source = { type: 'base64', media_type: 'image/png', data: WHITE };
  const images = question.image === true ? [{ type: 'image', source }] : [];
  const call = { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Paris' } };
  const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: '21 degrees' };
  return {
    model,
    messages: [
      ...(question.systemBetween === true ? earlierTurn : []),
      { role: 'user', content: [{ type: 'text', text }, ...images] },
      ...(question.earlierCall === true
        ? [
            { role: 'assistant', content: [call] },
            { role: 'user', content: [result] },
          ]
        : []),
    ],
    stream,
    max_tokens: limit,
    ...(tools === undefined ? {} : { tools: messagesTools(question), ...messagesChoice(tools) }),
    ...(question.schema === true ? { output_config: { format: { type: 'json_schema', schema } } } : {}),
    ...(question.settings === true ? { system: DEVELOPER, temperature: 1 } : {}),
    ...question.more,
  };
}

function messagesTools(question: Question): JsonObject[] {
  return Object.entries(schemasOf(question, { type: 'object' })).map(([name, value]) => ({
    name,
    input_schema: value,
  }));
}

function messagesChoice(tools: NonNullable<Question['tools']>): JsonObject {
  if (tools === 'offered') return {};
  return { tool_choice: tools === 'required' ? { type: 'any' } : { type: 'tool', name: 'get_weather' } };
}
