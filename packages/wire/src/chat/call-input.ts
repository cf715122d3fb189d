import { JsonEnd } from '../base/json-end.ts';
import { TextBuffer } from '../base/text-buffer.ts';

/** The arguments of a call, or the free text of a custom tool, as they come. */
export class CallInput {
  readonly #text = new TextBuffer();
  /** What came behind whole arguments: held, as some servers send all of them twice. */
  readonly #rest = new TextBuffer();
  readonly #end = new JsonEnd();
  #whole = false;

  /** The arguments are a JSON object or list that has ended. */
  get whole(): boolean {
    return this.#whole;
  }

  get isEmpty(): boolean {
    return this.#text.length === 0;
  }

  /** @returns what of the piece can be told at once */
  append(piece: string, isJson: boolean): string {
    if (this.#whole) {
      this.#rest.append(piece);
      return '';
    }
    const end = isJson ? this.#end.endIn(piece) : -1;
    if (end < 0) {
      this.#text.append(piece);
      return piece;
    }
    this.#whole = true;
    const last = piece.slice(0, end);
    this.#text.append(last);
    if (end < piece.length) this.#rest.append(piece.slice(end));
    return last;
  }

  /** No more will come. What was held belongs to the input, unless it is the same once more. */
  settle(): { readonly delta: string; readonly doubled: boolean } {
    const rest = this.#rest.toString();
    this.#rest.clear();
    const doubled = rest !== '' && isRepetition(rest.trim(), this.#text.toString().trim());
    if (!doubled) this.#text.append(rest);
    return { delta: doubled ? '' : rest, doubled };
  }

  toString(): string {
    return this.#text.toString();
  }
}

function isRepetition(rest: string, whole: string): boolean {
  return rest !== '' && rest === whole.repeat(Math.ceil(rest.length / whole.length));
}
