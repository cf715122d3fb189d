import type { JsonObject } from '../base/json.ts';
import type { CarriedMembers, Item } from './items.ts';

/**
 * One request to a model, whatever the wire. Our own option names are camelCase; items and tools keep the
 * Responses API's shapes.
 */
export interface ModelRequest {
  /** Default: the provider's model. */
  readonly model?: string;
  /** The system text. Default: none. */
  readonly instructions?: string;
  /** The whole conversation, oldest first. */
  readonly input: readonly Item[];
  /** The tools that the model may call. Default: none. */
  readonly tools?: readonly Tool[];
  /** Whether and which tool the model calls. Default: as the server does, which is `auto`. */
  readonly toolChoice?: ToolChoice;
  /** Whether one answer may hold several calls. Default: as the server does. */
  readonly parallelToolCalls?: boolean;
  /** Bound of the answer, in tokens. Default: the provider's bound, else the server's. */
  readonly maxOutputTokens?: number;
  /** How much chance there is in the answer: a number from 0 (least) up, mostly to 2. Default: as the server does. */
  readonly temperature?: number;
  /**
   * How many of the likely tokens are looked at, as a share of their probability from 0 to 1. Default: as the server
   * does.
   */
  readonly topP?: number;
  /**
   * How hard the model should think (`effort`, e.g. `low`), and which `summary` of it is wanted. Default: as the
   * server does.
   */
  readonly reasoning?: { readonly effort?: string; readonly summary?: string };
  /** The answer must be JSON of this schema. Default: any text. */
  readonly outputSchema?: OutputSchema;
  /**
   * Fields added to the body as they are, after everything else: for what turnwire has no option for. Default: none.
   */
  readonly extra?: JsonObject;
}

/** The form that an answer has to have. */
export interface OutputSchema {
  /** A name of the schema for the server: letters, digits, `_` and `-`. */
  readonly name: string;
  /** The JSON Schema. */
  readonly schema: JsonObject;
  /** What the answer is for, in words for the model. Default: none. */
  readonly description?: string;
  /** The server must hold the answer to the schema exactly. Default: as the server does. */
  readonly strict?: boolean;
}

/** Whether the model may, must or must not call a tool, or which one it must call. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly type: 'function'; readonly name: string };

/** A function that the model may call. */
export interface FunctionTool {
  readonly type: 'function';
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments. */
  readonly parameters?: JsonObject | null;
  readonly strict?: boolean | null;
  /** What a client had on it beside these: it stands there again for a server of the same wire. Default: nothing. */
  readonly carried?: CarriedMembers;
}

/** A tool of another kind (`custom`, `namespace`, `web_search`, …), in the Responses API's own shape. */
export type OtherTool = JsonObject & { readonly type: string };

/** Whatever may stand in a request's `tools`. */
export type Tool = FunctionTool | OtherTool;
