import { isObject, parseJson, type JsonObject } from './base/json.ts';
import type { ProtocolId } from './decoder.ts';
import { wireSigns } from './dialects/wire-signs.ts';
import { ModelError } from './model/errors.ts';

/** What an answer of another wire than the one asked for is told as; undefined for what shows no sign of another. */
export function wrongWireError(value: JsonObject, asked: ProtocolId): ModelError | undefined {
  const sign = wireSigns.find((one) => one.isSignOf(value));
  if (sign === undefined || sign.wire === asked) return undefined;
  const advice = sign.advice ?? `use --wire ${sign.wire ?? ''}`;
  return new ModelError({ kind: 'protocol', message: `this is ${sign.title}: ${advice}` });
}

/** The wire that the beginning of an answer is of: SSE, lines of JSON, or one body. Undefined where nothing tells. */
export function wireIn(text: string): string | undefined {
  for (const candidate of [text, ...text.split(/\r\n|\r|\n/)]) {
    const value = parseJson(candidate.replace(/^data:/, ''));
    const sign = isObject(value) ? wireSigns.find((one) => one.isSignOf(value)) : undefined;
    if (sign !== undefined) return sign.wire;
  }
  return undefined;
}
