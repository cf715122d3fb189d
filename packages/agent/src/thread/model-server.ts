import { z } from 'zod';
import { ThreadError } from './thread-error.ts';

export const modelServerSchema = z.object({
  name: z.string(),
  base_url: z.string(),
  wire_api: z.string(),
  model: z.string().optional(),
  env_key: z.string().optional(),
  is_scripted: z.boolean().optional(),
});

/**
 * The server that a conversation is with, as its thread remembers it: its name in the configuration, where it is, which wire it
 * speaks, the model, and the name of the variable with the key. Never a key.
 */
export type ModelServer = Readonly<z.output<typeof modelServerSchema>>;

/** `undefined` for what is none. */
export function readModelServer(value: unknown): ModelServer | undefined {
  return modelServerSchema.safeParse(value).data;
}

/** What a conversation is gone on with, and what is known of the one before. */
export interface ServerChange {
  /** Of the thread; absent: it was written before threads remembered it, or by a model of the caller's own. */
  readonly before: ModelServer | undefined;
  /** Absent: a model of the caller's own. */
  readonly now: ModelServer | undefined;
  readonly id: string;
}

/**
 * What the person should know of the change: nothing, or one line. Fails with `ThreadError` rather than let the scripted model
 * answer in a real conversation: its answers would be taken for the other one's from then on.
 */
export function noteOfServer({ before, now, id }: ServerChange): readonly string[] {
  if (now?.is_scripted === true && before?.is_scripted !== true)
    throw new ThreadError(whichServer(id, before), 'no_server');
  if (before === undefined || now === undefined || isSame(before, now)) return [];
  return [`the conversation was with ${describe(before)} so far, and goes on with ${describe(now)}`];
}

function isSame(one: ModelServer, other: ModelServer): boolean {
  if (one.is_scripted === true || other.is_scripted === true) return one.is_scripted === other.is_scripted;
  return one.base_url === other.base_url && one.wire_api === other.wire_api && one.model === other.model;
}

function describe({ is_scripted: isScripted, model, base_url: url }: ModelServer): string {
  if (isScripted === true) return 'the scripted model';
  return model === undefined ? url : `${model} at ${url}`;
}

function whichServer(id: string, before: ModelServer | undefined): string {
  const was = before === undefined ? 'does not say which model server it was with' : `was with ${describe(before)}`;
  return `the thread ${id} ${was}, and the scripted model does not go on with it: name a server, e.g. --base-url http://127.0.0.1:8080/v1 --wire chat --model NAME, or --provider NAME`;
}
