import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';

/**
 * Turns the outputs without a call that Codex sends (its goal, under a name but without a `call_id`) into messages of
 * the user: a server takes no output without its call.
 */
export function withContextAsMessages(body: JsonObject): JsonObject {
  const { input } = body;
  if (!Array.isArray(input) || !input.some(isContext)) return body;
  return { ...body, input: input.map((item: unknown) => (isContext(item) ? toMessage(item) : item)) };
}

function isContext(item: unknown): item is JsonObject {
  return (
    isObject(item) &&
    item.type === 'function_call_output' &&
    (item.call_id === undefined || item.call_id === null) &&
    nonEmpty(item.name) !== undefined &&
    (typeof item.output === 'string' || Array.isArray(item.output))
  );
}

function toMessage(item: JsonObject): JsonObject {
  const source = [item.namespace, item.name].filter((part) => nonEmpty(part) !== undefined).join('.');
  return messageOfOutput(item, source);
}

/** An output as a message of the user that says where it is from. */
export function messageOfOutput({ output }: JsonObject, source: string): JsonObject {
  const head = { type: 'input_text', text: `${source}:\n` };
  const parts: readonly unknown[] = Array.isArray(output) ? output : [{ type: 'input_text', text: output }];
  return { type: 'message', role: 'user', content: [head, ...parts] };
}
