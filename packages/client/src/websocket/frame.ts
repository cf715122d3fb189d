import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Item } from '@turnwire/wire/internal/model/items';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { toInputItem } from '@turnwire/wire/internal/responses/request';

/** The form of the messages that Codex' servers speak at present. */
export const WEBSOCKET_BETA = 'responses_websockets=2026-02-06';

/** What the server knows of an answered request: the ground on which the next one can be a difference. */
export interface Baseline {
  readonly responseId: string;
  /** Everything but the input, as text. */
  readonly properties: string;
  /** The input that was sent and the items that came back, each as text. */
  readonly items: readonly string[];
}

/** One `response.create`, and what of it the next baseline needs. */
export interface CreateFrame {
  readonly text: string;
  /** Only the new input was sent. */
  readonly incremental: boolean;
  readonly properties: string;
  readonly items: readonly string[];
}

export interface CreateFrameOptions {
  readonly baseline?: Baseline | undefined;
  /** The turn's sticky value, if it has one. */
  readonly turnState?: string | undefined;
  /** Nothing is generated: the server only takes in instructions and tools. */
  readonly warmUp?: boolean;
}

/** Fields that may differ between a request and the one it builds on. */
const variable = new Set(['input', 'stream_options', 'client_metadata']);

/**
 * A `response.create` with the fields of an HTTP body. When the input strictly extends the baseline's and nothing else
 * differs, only the new items are sent, after `previous_response_id`. A body that names a previous response itself is
 * sent as it is.
 */
export function createFrame(body: JsonObject, options: CreateFrameOptions = {}): CreateFrame {
  const { turnState, warmUp = false } = options;
  const input = Array.isArray(body.input) && !warmUp ? (body.input as readonly unknown[]) : [];
  const items = input.map((item) => JSON.stringify(item));
  const properties = propertiesOf(body);
  const baseline = body.previous_response_id === undefined ? options.baseline : undefined;
  const extended = baseline !== undefined && extendsBaseline(baseline, properties, items) ? baseline : undefined;
  const fields: JsonObject = {
    type: 'response.create',
    ...body,
    input: undefined,
    ...(extended === undefined ? {} : { previous_response_id: extended.responseId }),
    ...(warmUp ? { generate: false } : {}),
    ...metadataOf(body, turnState),
  };
  const text = withInput(fields, items.slice(extended?.items.length ?? 0));
  return { text, incremental: extended !== undefined, properties, items };
}

/** The frame's text; a long history is not written out a second time. */
function withInput(fields: JsonObject, items: readonly string[]): string {
  return `${JSON.stringify(fields).slice(0, -1)},"input":[${items.join(',')}]}`;
}

/** The baseline after an answer; none when the server gave no id for it. */
export function baselineAfter(frame: CreateFrame, responseId: string, returned: readonly Item[]): Baseline | undefined {
  const id = nonEmpty(responseId);
  if (id === undefined) return undefined;
  const items = [...frame.items, ...returned.map((item) => JSON.stringify(toInputItem(item)))];
  return { responseId: id, properties: frame.properties, items };
}

function extendsBaseline(baseline: Baseline, properties: string, items: readonly string[]): boolean {
  return (
    properties === baseline.properties &&
    items.length >= baseline.items.length &&
    baseline.items.every((item, place) => item === items[place])
  );
}

function propertiesOf(body: JsonObject): string {
  return JSON.stringify(Object.entries(body).filter(([name]) => !variable.has(name)));
}

function metadataOf(body: JsonObject, turnState: string | undefined): JsonObject {
  if (turnState === undefined) return {};
  const own = isObject(body.client_metadata) ? body.client_metadata : {};
  return { client_metadata: { ...own, [TURN_STATE_HEADER]: turnState } };
}
