import type { JsonObject } from '../base/json.ts';
import { annotationsIn, annotationsOfCitations, nameOfPart, uncarriedFields } from '../dialects/answer-extras.ts';
import { ModelError } from '../model/errors.ts';

/** What an answer has beside its texts and calls: where a text is from, and what no item has a place for. */
export class BesideText {
  // Made when there is something to put in: most answers have neither.
  #annotations: Map<number, JsonObject[]> | undefined;
  #notCarried: Set<string> | undefined;
  /** Perplexity's sources of the whole answer, repeated on every chunk. */
  #citations: unknown;

  readDelta(choice: number, delta: JsonObject): void {
    if (delta['annotations'] !== undefined) this.#addAnnotations(choice, annotationsIn(delta['annotations']));
    for (const field of uncarriedFields) {
      if (delta[field] !== undefined && delta[field] !== null) this.#addNotCarried(field);
    }
  }

  readChunk(chunk: JsonObject): void {
    if (chunk['citations'] !== undefined) this.#citations = chunk['citations'];
  }

  readPart(part: unknown): void {
    const name = nameOfPart(part);
    if (name !== undefined) this.#addNotCarried(name);
  }

  annotationsOf(choice: number): readonly JsonObject[] {
    return this.#annotations?.get(choice) ?? annotationsOfCitations(this.#citations);
  }

  hasAnnotations(choice: number): boolean {
    return this.#annotations?.has(choice) === true;
  }

  /** By name, in the order of first sight. */
  get notCarried(): readonly string[] {
    return this.#notCarried === undefined ? [] : [...this.#notCarried];
  }

  /** An answer of nothing but sound or pictures is no empty success (docs/contract.md 3.9). */
  failureWithout(somethingSaid: boolean): ModelError | undefined {
    if (somethingSaid || this.#notCarried === undefined) return undefined;
    const message = `the answer has neither text nor a call, only what cannot be carried: ${this.notCarried.join(', ')}`;
    return new ModelError({ kind: 'protocol', message });
  }

  #addNotCarried(name: string): void {
    this.#notCarried ??= new Set();
    this.#notCarried.add(name);
  }

  #addAnnotations(choice: number, annotations: readonly JsonObject[]): void {
    if (annotations.length === 0) return;
    this.#annotations ??= new Map();
    const known = this.#annotations.get(choice);
    if (known === undefined) this.#annotations.set(choice, [...annotations]);
    else known.push(...annotations);
  }
}
