import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import { orList } from '@turnwire/wire/internal/base/or-list';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import type { DecoderOptions, ProtocolId } from '@turnwire/wire/internal/decoder';
import { createDecoder } from '@turnwire/wire';
import type { InputStream } from './context.ts';
import { cut, errorLine, type ErrorLine } from './decode-stream.ts';
import { describeSystemError, UsageError } from './exit.ts';
import { linesOf, MAX_LINE } from './lines.ts';
import type { Output } from './output.ts';
import { isProtocolId, protocolIds } from '@turnwire/wire/internal/protocols';

export interface BatchSource {
  readonly input: InputStream;
  readonly out: Output;
  /** For lines that name no wire. */
  readonly wire: ProtocolId | undefined;
  /** For lines that do not say otherwise. */
  readonly options: DecoderOptions;
  readonly chunkSize: number | undefined;
}

/**
 * Decodes one complete stream per input line, in order, and answers each with one line. A stream that fails is a result
 * like any other, and so is a line that is no request.
 *
 * @throws UsageError when the input cannot be read.
 */
export async function decodeBatch({ input, out, wire, options, chunkSize }: BatchSource): Promise<void> {
  let n = 0;
  for await (const line of readable(linesOf(input))) {
    if (line.trim() === '') continue;
    await out.write(answerTo(n, () => decodeWhole(parseRequest(line, { wire, options }), chunkSize)));
    n++;
  }
}

/** Whatever a line does to the decoder, the lines behind it are answered. */
function answerTo(n: number, decode: () => readonly (ModelEvent | ErrorLine)[]): string {
  const lineOf = (events: readonly (ModelEvent | ErrorLine)[]): string => `${JSON.stringify({ n, events })}\n`;
  try {
    return lineOf(decode());
  } catch (error) {
    return lineOf([errorLine(asModelError(error))]);
  }
}

function asModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  return new ModelError({ kind: 'protocol', message: `turnwire failed: ${describeSystemError(error)}`, cause: error });
}

interface BatchRequest {
  readonly wire: ProtocolId;
  readonly bytes: Uint8Array;
  readonly options: DecoderOptions;
}

/** The input is all there is, so its end is the close: no timer waits for usage. */
function decodeWhole(request: BatchRequest, chunkSize: number | undefined): (ModelEvent | ErrorLine)[] {
  const decoder = createDecoder(request.wire, request.options);
  const events: (ModelEvent | ErrorLine)[] = [];
  for (const piece of cut(request.bytes, chunkSize)) {
    for (const event of decoder.push(piece)) events.push(event);
    if (decoder.phase === 'ended') break;
  }
  for (const event of decoder.end({ type: 'close' })) events.push(event);
  if (decoder.failure !== undefined) events.push(errorLine(decoder.failure));
  return events;
}

async function* readable(lines: AsyncIterable<string>): AsyncGenerator<string> {
  try {
    yield* lines;
  } catch (error) {
    throw new UsageError(`cannot read the input: ${describeSystemError(error)}`);
  }
}

/** @throws ModelError of kind `invalid_request`, saying what is wrong with the line. */
function parseRequest(line: string, defaults: Pick<BatchSource, 'wire' | 'options'>): BatchRequest {
  const fail = (what: string): never => {
    throw new ModelError({ kind: 'invalid_request', message: `this line of the batch is no request: ${what}` });
  };
  if (line.length > MAX_LINE) return fail(`it has more than ${MAX_LINE} characters`);
  const request = parseJson(line);
  if (!isObject(request)) return fail('not a JSON object');
  const { wire = defaults.wire, b64, options = {} } = request;
  if (!isProtocolId(wire)) return fail(`"wire" must be ${orList(protocolIds)}`);
  if (typeof b64 !== 'string' || !/^[\w+/-]*={0,2}$/.test(b64)) return fail('"b64" must be base64 text');
  if (!isObject(options)) return fail('"options" must be an object');
  const wrong = Object.entries(options).find(([key, value]) => optionChecks[key]?.(value) !== true);
  if (wrong !== undefined) return fail(`"options.${wrong[0]}" is unknown or has a wrong value`);
  return { wire, bytes: Buffer.from(b64, 'base64'), options: { ...defaults.options, ...parseDecoderOptions(options) } };
}

/** `usageGraceMs` is accepted, and without effect where nothing waits. */
const optionChecks: Readonly<Record<string, (value: unknown) => boolean>> = {
  usageAsked: (value) => typeof value === 'boolean',
  usageGraceMs: (value) => typeof value === 'number' && value >= 0,
  tokenLimit: (value) => typeof value === 'boolean',
  onClose: (value) => value === 'error' || value === 'complete',
  thinkTags: (value) => typeof value === 'boolean' || value === 'opened',
  contextWindow: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value > 0,
  toolCallsOnStop: (value) => value === 'drop' || value === 'promote',
};

function parseDecoderOptions(checked: JsonObject): DecoderOptions {
  return Object.fromEntries(Object.entries(checked).filter(([key]) => key !== 'usageGraceMs'));
}
