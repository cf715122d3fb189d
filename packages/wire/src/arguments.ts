import { isObject, parseJson } from './base/json.ts';

/** True when a call's arguments can be acted on: JSON, or nothing at all for a call without arguments. */
export function isCompleteArguments(text: string): boolean {
  return text.trim() === '' || parseJson(text) !== undefined;
}

/** True for what a call that is said to be done may run with at once: arguments that are JSON, or any free text. */
export function isWholeInput(type: string, input: unknown): boolean {
  return typeof input === 'string' && input !== '' && (type === 'custom_tool_call' || isCompleteArguments(input));
}

/** A call that the server began and never said to be done. */
export interface PendingCall {
  readonly kind: 'function' | 'custom';
  readonly name: string | undefined;
  /** Its arguments, or a custom tool's free text. */
  readonly input: string;
}

/**
 * Whether a good end hands a pending call on, or else the reason in `dropped_tool_calls`: one rule for all wires. An empty name
 * has become `undefined` before. After an error nothing is handed on and nothing listed.
 *
 * - Chat asks in `chat/finish.ts` (`fateOf`), but a finish reason that is none for tools drops the call as `stop`, name or not.
 * - Responses asks in `responses/items.ts` (`droppedCallOf`).
 * - Messages asks in `messages/block-machine.ts` (`#settleCall`), but `tool_use` hands on arguments that are no JSON, too.
 */
export function fateOfPending({ kind, name, input }: PendingCall): 'emit' | 'no_name' | 'incomplete' {
  if (name === undefined) return 'no_name';
  return kind === 'custom' || isCompleteArguments(input) ? 'emit' : 'incomplete';
}

/**
 * A call's arguments as they can be sent back: a JSON object. Models write broken JSON now and then, and servers that
 * parse the history (llama.cpp does, on both wires) would refuse every later request of that conversation; so what is
 * no JSON object is wrapped, for the model to see, and nothing is an empty object.
 */
export function sendableArguments(text: string): string {
  if (text.trim() === '') return '{}';
  return isObject(parseJson(text)) ? text : JSON.stringify({ invalid_arguments: text });
}

/** What is told about arguments that were wrapped. */
export function argumentsNote(place: number): string {
  return `input[${place}].arguments: no JSON object, sent as {"invalid_arguments": …}`;
}
