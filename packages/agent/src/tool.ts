import { z } from 'zod';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { ApprovalNeed } from './approval/approval.ts';
import type { Elicit } from './approval/elicitation.ts';
import type { FileChange, PlanStep, ToolKind, ToolLocation } from './events.ts';
import type { FileWrite } from './file-write.ts';
import type { SandboxLevel } from './sandbox/sandbox.ts';

/** A tool's input as the model wrote it: JSON arguments, or the free text of a custom tool. */
export type ToolInput =
  | {
      /** Arguments of a function call. */
      readonly type: 'json';
      /** As it was parsed, not yet checked. */
      readonly value: unknown;
    }
  | {
      /** Input of a custom tool call. */
      readonly type: 'text';
      /** As the model wrote it. */
      readonly text: string;
    };

/** What a running tool may use. */
export interface ToolRun {
  /** Aborts on an interrupt: the tool ends everything that it started and returns. */
  readonly signal: AbortSignal;
  /** Shows output while it comes. The tool itself bounds how much it shows. */
  output(stream: 'stdout' | 'stderr', delta: string): void;
  /** Asks the person on behalf of an MCP server. Absent: nobody can be asked. */
  readonly elicit?: Elicit;
}

/** What a tool gives back. */
export interface ToolResult {
  /** The text that the model gets. The tool bounds it. */
  readonly output: string;
  /** False: the tool did not do what it was asked. */
  readonly ok: boolean;
  readonly exitCode?: number;
}

/** A call that was understood: what it will do, what it needs, and how to do it. Nothing has happened yet. */
export interface ToolPlan {
  /** One line for people. */
  readonly title: string;
  readonly locations?: readonly ToolLocation[];
  readonly changes?: readonly FileChange[];
  /** The files that it writes, when it has run: what `Agent.undo` takes back. */
  readonly writes?: readonly FileWrite[];
  /** The model's plan from then on, when it has run. */
  readonly steps?: readonly PlanStep[];
  /** What a command runs in; absent for tools that run none. */
  readonly sandbox?: SandboxLevel;
  /** Absent: the tool may run without asking. */
  readonly approval?: ApprovalNeed;
  run(run: ToolRun): Promise<ToolResult>;
}

/** A tool that the model may call. */
export interface AgentTool {
  readonly name: string;
  readonly description: string;
  readonly kind: ToolKind;
  /** JSON Schema of the arguments. */
  readonly parameters: JsonObject;
  /** False: it runs alone, after the calls before it and before those after it. */
  readonly parallel: boolean;
  /** Fails with `ToolInputError` for input that it cannot take. */
  plan(input: ToolInput, options: { signal: AbortSignal }): Promise<ToolPlan>;
}

/** The model's fault: the message is given back to it as the call's output. */
export class ToolInputError extends Error {
  override readonly name = 'ToolInputError';
}

/** A tool whose arguments are checked by a zod schema. */
export interface ToolDefinition<Schema extends z.ZodObject> {
  /** The name by which the model calls it: letters, digits, `_` and `-`, at most 64 characters. */
  readonly name: string;
  /** What it does, in words for the model. */
  readonly description: string;
  /** What it does, for front ends that show a sign for it. */
  readonly kind: ToolKind;
  /** What the arguments have to be. */
  readonly schema: Schema;
  /** Whether it may run beside other calls of the same answer. Default true. */
  readonly parallel?: boolean;
  /** Arguments for the free text of a custom tool call. Absent: such a call is refused. */
  readonly fromText?: (text: string) => z.input<Schema>;
  /**
   * Looks at the arguments and says what would be done, without doing it. Fails with `ToolInputError` for arguments
   * that it cannot take.
   */
  readonly plan: (args: z.output<Schema>, options: { signal: AbortSignal }) => Promise<ToolPlan>;
}

/**
 * A tool from a zod schema: the JSON Schema that the model sees and the check of what it sends are the same thing.
 *
 * @example
 * ```ts
 * import { z } from 'zod';
 *
 * const now = defineTool({
 *   name: 'now',
 *   description: 'The time.',
 *   kind: 'other',
 *   schema: z.strictObject({}),
 *   plan: async () => ({ title: 'now', run: async () => ({ output: new Date().toString(), ok: true }) }),
 * });
 * ```
 */
export function defineTool<Schema extends z.ZodObject>(definition: ToolDefinition<Schema>): AgentTool {
  const { name, description, kind, schema, parallel = true, fromText, plan } = definition;
  return {
    name,
    description,
    kind,
    parallel,
    parameters: jsonSchemaOf(schema),
    plan(input, options) {
      const raw = input.type === 'json' ? input.value : fromText?.(input.text);
      if (raw === undefined) throw new ToolInputError(`${name} takes JSON arguments, not free text`);
      const parsed = schema.safeParse(raw);
      if (!parsed.success) throw new ToolInputError(`invalid arguments for ${name}: ${issuesOf(parsed.error)}`);
      return plan(parsed.data, options);
    },
  };
}

function jsonSchemaOf(schema: z.ZodObject): JsonObject {
  const json: JsonObject = { ...z.toJSONSchema(schema, { io: 'input' }) };
  delete json.$schema;
  return json;
}

function issuesOf(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => (issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`))
    .join('; ');
}
