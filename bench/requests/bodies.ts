/** Requests of three sizes on three wires, in the shape of what Codex and its like send; each one's last message is its own. */
import type { ProtocolId } from '../../packages/wire/src/index.ts';

export type Size = 'small' | 'codex' | 'history';

interface Round {
  readonly id: string;
  readonly args: string;
  readonly output: string;
}

interface Tool {
  readonly name: string;
  readonly description: string;
  readonly parameters: object;
}

/** What a request holds, on whatever wire. */
interface Content {
  readonly instructions: string;
  readonly tools: readonly Tool[];
  readonly rounds: readonly Round[];
}

const SENTENCE = 'Read the file before you change it, say what you did, and run the "tests" that belong to it.\n';
const CODE =
  'export function total(list: readonly number[]): number {\n\treturn list.reduce((sum, n) => sum + n, 0);\n}\n';

const textOf = (sentence: string, length: number): string =>
  sentence.repeat(Math.ceil(length / sentence.length)).slice(0, length);

function toolOf(n: number): Tool {
  const property = (type: string) => ({ type, description: textOf(SENTENCE, 160) });
  const properties = { path: property('string'), lines: { type: 'array', items: property('number') } };
  return {
    name: `tool_${n}`,
    description: textOf(SENTENCE, 600),
    parameters: { type: 'object', properties, required: ['path'], additionalProperties: false },
  };
}

function roundOf(n: number): Round {
  const args = JSON.stringify({ command: ['bash', '-lc', `sed -n ${n},200p src/file_${n}.ts`], timeout_ms: 10_000 });
  return { id: `call_${String(n).padStart(24, '0')}`, args, output: `Exit code: 0\n${n}\n${textOf(CODE, 4500)}` };
}

const listOf = <T>(length: number, make: (n: number) => T): T[] => Array.from({ length }, (_, n) => make(n));

const contents: Readonly<Record<Size, Content>> = {
  small: { instructions: 'Be brief.', tools: [], rounds: [] },
  codex: { instructions: textOf(SENTENCE, 18_000), tools: listOf(18, toolOf), rounds: listOf(1, roundOf) },
  history: { instructions: textOf(SENTENCE, 18_000), tools: listOf(18, toolOf), rounds: listOf(200, roundOf) },
};

const LAST = 'the last message';

function responsesBody({ instructions, tools, rounds }: Content): object {
  const message = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
  const history = rounds.flatMap(({ id, args, output }) => [
    { type: 'function_call', name: 'tool_0', arguments: args, call_id: id },
    { type: 'function_call_output', call_id: id, output },
  ]);
  const input = [message(textOf(SENTENCE, 400)), ...history, message(LAST)];
  const given = tools.map((tool) => ({ type: 'function', strict: false, ...tool }));
  const choice = tools.length === 0 ? {} : { tool_choice: 'auto', parallel_tool_calls: false, tools: given };
  return { instructions, input, ...choice, store: false, include: ['reasoning.encrypted_content'] };
}

function chatBody({ instructions, tools, rounds }: Content): object {
  const history = rounds.flatMap(({ id, args, output }) => {
    const call = { id, type: 'function', function: { name: 'tool_0', arguments: args } };
    return [
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: id, content: output },
    ];
  });
  const begin = [
    { role: 'system', content: instructions },
    { role: 'user', content: textOf(SENTENCE, 400) },
  ];
  const given = tools.map((tool) => ({ type: 'function', function: tool }));
  const choice = tools.length === 0 ? {} : { tools: given };
  return { messages: [...begin, ...history, { role: 'user', content: LAST }], ...choice };
}

function messagesBody({ instructions, tools, rounds }: Content): object {
  const history = rounds.flatMap(({ id, args, output }) => [
    { role: 'assistant', content: [{ type: 'tool_use', id, name: 'tool_0', input: JSON.parse(args) as object }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: output }] },
  ]);
  const begin = { role: 'user', content: [{ type: 'text', text: textOf(SENTENCE, 400) }] };
  const given = tools.map(({ parameters, ...tool }) => ({ ...tool, input_schema: parameters }));
  const choice = tools.length === 0 ? {} : { tools: given };
  const messages = [begin, ...history, { role: 'user', content: LAST }];
  return { system: [{ type: 'text', text: instructions }], messages, ...choice, max_tokens: 1024 };
}

const makers: Readonly<Record<ProtocolId, (content: Content) => object>> = {
  chat: chatBody,
  responses: responsesBody,
  messages: messagesBody,
};

/**
 * Makes the bodies of one size, one after the other.
 *
 * @param model - how the upstream answers
 */
export function bodiesOf(wire: ProtocolId, size: Size, model: string): () => string {
  const [before = '', after = ''] = JSON.stringify({ model, ...makers[wire](contents[size]), stream: true }).split(
    LAST,
  );
  let n = 0;
  return () => `${before}question ${++n}${after}`;
}
