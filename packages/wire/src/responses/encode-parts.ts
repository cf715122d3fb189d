import { TextBuffer } from '../base/text-buffer.ts';
import type { WireEvent } from '../encode-event.ts';
import { partFields, partObject, unsentTexts, type ItemPart, type PartKind, type PartValue } from '../item-parts.ts';

/** Parts are numbered within their own space: `content_index` or `summary_index`. */
export type PartSpace = 'content' | 'summary';

interface PartSpec {
  readonly space: PartSpace;
  readonly added: string;
  readonly delta: string;
  readonly done: string;
  readonly closed: string;
  /** What every text event of the kind carries. */
  readonly tail: string;
}

const content = {
  space: 'content',
  added: 'response.content_part.added',
  closed: 'response.content_part.done',
} as const;

const partSpecs: Readonly<Record<PartKind, PartSpec>> = {
  output_text: {
    ...content,
    delta: 'response.output_text.delta',
    done: 'response.output_text.done',
    tail: ',"logprobs":[]',
  },
  refusal: {
    ...content,
    delta: 'response.refusal.delta',
    done: 'response.refusal.done',
    tail: '',
  },
  reasoning_text: {
    ...content,
    delta: 'response.reasoning_text.delta',
    done: 'response.reasoning_text.done',
    tail: '',
  },
  summary_text: {
    space: 'summary',
    added: 'response.reasoning_summary_part.added',
    delta: 'response.reasoning_summary_text.delta',
    done: 'response.reasoning_summary_text.done',
    closed: 'response.reasoning_summary_part.done',
    tail: '',
  },
};

/** Counts the events and keeps those of one call to the encoder. */
export class Outbox {
  #sequence = 0;
  #events: WireEvent[] = [];

  /** `fields` is JSON text: the members between the type and the sequence number. */
  add(type: string, fields: string): void {
    this.#events.push({ type, data: `{"type":"${type}",${fields},"sequence_number":${this.#sequence++}}` });
  }

  take(): WireEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

interface OpenPart {
  readonly kind: PartKind;
  readonly sourceIndex: number;
  readonly index: number;
  /** Constant text of every event of this part. */
  readonly where: string;
  readonly text: TextBuffer;
}

/** The parts of one item: opened, streamed and closed one after the other. */
export class PartStream {
  readonly #out: Outbox;
  readonly #item: string;
  readonly #done: { readonly space: PartSpace; readonly value: PartValue }[] = [];
  /** Text of the closed parts as it was streamed, per kind. */
  readonly #sent = new Map<PartKind, string>();
  readonly #count: Record<PartSpace, number> = { content: 0, summary: 0 };
  #open: OpenPart | undefined;

  /** `item` is JSON text: `"item_id":…,"output_index":…`. */
  constructor(out: Outbox, item: string) {
    this.#out = out;
    this.#item = item;
  }

  delta(kind: PartKind, sourceIndex: number, text: string, logprobs?: readonly unknown[]): void {
    const open = this.#open;
    const part = open?.kind === kind && open.sourceIndex === sourceIndex ? open : this.begin(kind, sourceIndex);
    this.#send(part, text, logprobs);
  }

  /** Opens a part, closing the one before it. */
  begin(kind: PartKind, sourceIndex: number): OpenPart {
    this.end();
    const spec = partSpecs[kind];
    const index = this.#count[spec.space]++;
    const where = `${this.#item},"${spec.space}_index":${index}`;
    this.#out.add(spec.added, `${where},"part":${partJson({ kind, text: '' })}`);
    this.#open = { kind, sourceIndex, index, where, text: new TextBuffer() };
    return this.#open;
  }

  /** True while this very part is open. */
  isOpen(kind: PartKind, sourceIndex: number): boolean {
    return this.#open?.kind === kind && this.#open.sourceIndex === sourceIndex;
  }

  /** Sends what the authoritative text of the open part has beyond its deltas, and closes it. */
  finishOpen(value: PartValue): void {
    const part = this.#open;
    if (part === undefined) return;
    const sent = part.text.toString();
    if (value.text !== sent && value.text.startsWith(sent)) this.#send(part, value.text.slice(sent.length));
    this.end(value);
  }

  /** Closes the open part: with its authoritative value, or from its deltas. */
  end(value?: PartValue): void {
    const part = this.#open;
    if (part === undefined) return;
    this.#sent.set(part.kind, this.sentText(part.kind));
    this.#open = undefined;
    const spec = partSpecs[part.kind];
    const final = value ?? { kind: part.kind, text: part.text.toString() };
    this.#annotations(part, final);
    this.#out.add(
      spec.done,
      `${part.where},"${partFields[part.kind].text}":${JSON.stringify(final.text)}${tailOf(spec, final.raw?.logprobs)}`,
    );
    this.#out.add(spec.closed, `${part.where},"part":${partJson(final)}`);
    this.#done.push({ space: spec.space, value: final });
  }

  /** Clients that stream read the sources of a text from events of their own. */
  #annotations(part: OpenPart, { raw }: PartValue): void {
    const annotations: readonly unknown[] = Array.isArray(raw?.annotations) ? raw.annotations : [];
    for (const [index, annotation] of annotations.entries()) {
      const fields = `"annotation_index":${index},"annotation":${JSON.stringify(annotation)}`;
      this.#out.add('response.output_text.annotation.added', `${part.where},${fields}`);
    }
  }

  /** A part of a kind that has no text of ours: announced and closed, nothing in between. */
  whole(raw: Readonly<Record<string, unknown>>): void {
    this.end();
    const fields = `${this.#item},"content_index":${this.#count.content++},"part":${JSON.stringify(raw)}`;
    this.#out.add('response.content_part.added', fields);
    this.#out.add('response.content_part.done', fields);
  }

  /** Brings the wire up to the authoritative parts of one space: what was not streamed yet follows as deltas. */
  finish(space: PartSpace, values: readonly ItemPart[]): void {
    const rests = unsentTexts(values, (kind) => this.sentText(kind));
    values.forEach((value, i) => {
      const rest = rests[i] ?? '';
      if (value.kind === 'other') {
        if (space === 'content' && i >= this.#count.content) this.whole(value.raw);
        return;
      }
      if (i < this.#count[space] && !this.#isLastOpen(space, i)) return; // closed already: nothing can change it
      const part = this.#isLastOpen(space, i) && this.#open !== undefined ? this.#open : this.begin(value.kind, i);
      if (rest !== '') this.#send(part, rest);
      this.end(value);
    });
    if (this.#open !== undefined && partSpecs[this.#open.kind].space === space) this.end();
  }

  /** The closed parts of a space, in order. */
  values(space: PartSpace): readonly PartValue[] {
    return this.#done.filter((part) => part.space === space).map((part) => part.value);
  }

  /** Everything that went out as deltas of a kind. */
  sentText(kind: PartKind): string {
    const closed = this.#sent.get(kind) ?? '';
    return this.#open?.kind === kind ? closed + this.#open.text.toString() : closed;
  }

  #isLastOpen(space: PartSpace, index: number): boolean {
    return this.#open !== undefined && partSpecs[this.#open.kind].space === space && this.#open.index === index;
  }

  #send(part: OpenPart, text: string, logprobs?: readonly unknown[]): void {
    const spec = partSpecs[part.kind];
    part.text.append(text);
    this.#out.add(spec.delta, `${part.where},"delta":${JSON.stringify(text)}${tailOf(spec, logprobs)}`);
  }
}

/** What is known of the tokens stands where the wire has an empty list else. */
function tailOf(spec: PartSpec, logprobs: unknown): string {
  return spec.tail === '' || !Array.isArray(logprobs) ? spec.tail : `,"logprobs":${JSON.stringify(logprobs)}`;
}

function partJson(value: PartValue): string {
  return JSON.stringify(partObject(value));
}
