import type { JsonObject } from '../base/json.ts';
import { annotationsIn, annotationsOfCitations, nameOfPart, uncarriedFields } from '../dialects/answer-extras.ts';
import { ModelError } from '../model/errors.ts';

/** What an answer has beside its texts and calls: where a text is from, and what no item has a place for. */
export class BesideText {
  readonly #annotations = new Map<number, JsonObject[]>();
  readonly #notCarried = new Set<string>();
  /** Perplexity's sources of the whole answer, repeated on every chunk. */
  #citations: unknown;

  readDelta(choice: number, delta: JsonObject): void {
    if (delta['annotations'] !== undefined) this.#addAnnotations(choice, annotationsIn(delta['annotations']));
    for (const field of uncarriedFields) {
      if (delta[field] !== undefined && delta[field] !== null) this.#notCarried.add(field);
    }
  }

  readChunk(chunk: JsonObject): void {
    if (chunk['citations'] !== undefined) this.#citations = chunk['citations'];
  }

  readPart(part: unknown): void {
    const name = nameOfPart(part);
    if (name !== undefined) this.#notCarried.add(name);
  }

  annotationsOf(choice: number): readonly JsonObject[] {
    return this.#annotations.get(choice) ?? annotationsOfCitations(this.#citations);
  }

  hasAnnotations(choice: number): boolean {
    return this.#annotations.has(choice);
  }

  /** By name, in the order of first sight. */
  get notCarried(): readonly string[] {
    return [...this.#notCarried];
  }

  /** An answer of nothing but sound or pictures is no empty success (docs/contract.md 3.9). */
  failureWithout(somethingSaid: boolean): ModelError | undefined {
    if (somethingSaid || this.#notCarried.size === 0) return undefined;
    const message = `the answer has neither text nor a call, only what cannot be carried: ${this.notCarried.join(', ')}`;
    return new ModelError({ kind: 'protocol', message });
  }

  #addAnnotations(choice: number, annotations: readonly JsonObject[]): void {
    const known = this.#annotations.get(choice);
    if (known === undefined && annotations.length > 0) this.#annotations.set(choice, [...annotations]);
    else known?.push(...annotations);
  }
}
