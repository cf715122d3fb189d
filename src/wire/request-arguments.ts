import { isObject, parseJson } from '../base/json.ts';

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
