import { parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ModelEvent } from '@turnwire/wire/internal/model/events';
import { TranscriptBuilder } from '@turnwire/wire/internal/model/transcript-builder';
import { assistantText } from '@turnwire/wire/internal/model/transcript';

/** Characters: a long list may be wrong in every place. */
const MAX_PROBLEM = 500;

/** Says what is wrong with an answer, in one line; `undefined` when it fits. */
export type CheckAnswer = (answer: string) => string | undefined;

/** Collects the final answer of a turn: the text of the messages of its last response. */
export class FinalAnswer {
  #transcript = new TranscriptBuilder();

  get text(): string {
    const { items, incomplete } = this.#transcript;
    return assistantText([...items, ...incomplete]);
  }

  take(event: ModelEvent): void {
    // A response that failed has no `completed`; the one after it begins with `created`, as each attempt does.
    const isNext = event.type === 'created' && this.#transcript.retrying === undefined;
    if (isNext || this.#transcript.completed !== undefined) this.#transcript = new TranscriptBuilder();
    this.#transcript.take(event);
  }
}

/**
 * The check of answers against a JSON Schema: a server that does not know schemas answers all the same. Fails with an
 * `Error` for a schema that cannot be read (an unknown `$ref`, a pattern that is none).
 */
export async function createAnswerCheck(schema: JsonObject): Promise<CheckAnswer> {
  // Loaded only where a schema is given: it would slow down the start of everybody else.
  const { AjvJsonSchemaValidator } = await import('@modelcontextprotocol/sdk/validation/ajv');
  // The validator refuses the name of any dialect but its own; the schemas that servers take are the same in all.
  const unnamed: JsonObject = { ...schema };
  delete unnamed.$schema;
  const validate = new AjvJsonSchemaValidator().getValidator<unknown>(unnamed);
  return (answer) => {
    const value = parseJson(answer);
    if (value === undefined) return 'it is not JSON';
    const result = validate(value);
    return result.valid ? undefined : result.errorMessage.slice(0, MAX_PROBLEM);
  };
}
