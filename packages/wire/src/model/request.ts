import type { JsonObject } from '../base/json.ts';
import type { Item } from './items.ts';

/**
 * One request to a model, whatever the wire. Our own option names are camelCase; items and tools keep the
 * Responses API's shapes.
 */
export interface ModelRequest {
  /** Default: the provider's model. */
  readonly model?: string;
  /** The system text. */
  readonly instructions?: string;
  /** The whole conversation, oldest first. */
  readonly input: readonly Item[];
  readonly tools?: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  /** Bound of the answer, in tokens. */
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly reasoning?: { readonly effort?: string; readonly summary?: string };
  /** The answer must be JSON of this schema. */
  readonly outputSchema?: OutputSchema;
  /** Fields added to the body as they are, after everything else: for what turnwire has no option for. */
  readonly extra?: JsonObject;
}

export interface OutputSchema {
  readonly name: string;
  readonly schema: JsonObject;
  /** What the answer is for, told to the model. */
  readonly description?: string;
  readonly strict?: boolean;
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly type: 'function'; readonly name: string };

export interface FunctionTool {
  readonly type: 'function';
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments. */
  readonly parameters?: JsonObject | null;
  readonly strict?: boolean | null;
}

/** A tool of another kind (`custom`, `namespace`, `web_search`, …), in the Responses API's own shape. */
export type OtherTool = JsonObject & { readonly type: string };

export type Tool = FunctionTool | OtherTool;
