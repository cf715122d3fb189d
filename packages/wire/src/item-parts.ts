import { isObject, nonEmpty, stringOf } from './base/json.ts';
import { isAssistantMessage, isCustomToolCall, isFunctionCall, isReasoning, type OutputItem } from './model/items.ts';

/** What decides how an item is streamed. `other`: announced and done, nothing in between. */
export type ItemKind = 'message' | 'reasoning' | 'function' | 'custom' | 'other';

export function itemKindOf(item: OutputItem): ItemKind {
  if (isAssistantMessage(item)) return 'message';
  if (isReasoning(item)) return 'reasoning';
  if (isFunctionCall(item)) return 'function';
  return isCustomToolCall(item) ? 'custom' : 'other';
}

export const idPrefixes: Readonly<Record<ItemKind, string>> = {
  message: 'msg',
  reasoning: 'rs',
  function: 'fc',
  custom: 'ctc',
  other: 'item',
};

/** The kinds of text part that a message or a reasoning item streams. */
export type PartKind = 'output_text' | 'refusal' | 'reasoning_text' | 'summary_text';

interface PartFields {
  /** The name of the member with its text. */
  readonly text: 'text' | 'refusal';
  /** What every part of the kind carries besides its text. */
  readonly extra: Readonly<Record<string, unknown>>;
}

export const partFields: Readonly<Record<PartKind, PartFields>> = {
  output_text: { text: 'text', extra: { annotations: [], logprobs: [] } },
  refusal: { text: 'refusal', extra: {} },
  reasoning_text: { text: 'text', extra: {} },
  summary_text: { text: 'text', extra: {} },
};

/** A part as an item carries it. */
export interface PartValue {
  readonly kind: PartKind;
  readonly text: string;
  /** The part as it was given, with fields we know nothing of; absent when it is built from its deltas. */
  readonly raw?: Readonly<Record<string, unknown>>;
}

/** A part as an item carries it; `other`: of a kind that we do not stream. */
export type ItemPart =
  PartValue | { readonly kind: 'other'; readonly text: ''; readonly raw: Readonly<Record<string, unknown>> };

/** The parts of a message. */
export function contentValues(content: readonly unknown[]): readonly ItemPart[] {
  return valuesOf(content, ['output_text', 'refusal']);
}

/** The parts of an item, those of other than the given kinds as `other`. */
export function valuesOf(parts: readonly unknown[], kinds: readonly PartKind[]): readonly ItemPart[] {
  const values: ItemPart[] = [];
  for (const raw of parts) {
    if (!isObject(raw)) continue;
    const kind = kinds.find((known) => known === raw.type);
    const text = stringOf(raw[kind === undefined ? 'text' : partFields[kind].text]);
    if (kind !== undefined && text !== undefined) values.push({ kind, text, raw });
    else values.push({ kind: 'other', text: '', raw });
  }
  return values;
}

/** The id an item has of its own. */
export function ownId(item: OutputItem): string | undefined {
  return nonEmpty(item['id' as keyof OutputItem]);
}

/**
 * For each value the text that no delta carried yet. Compared over all parts of a kind together, because
 * canonical text deltas do not say which part they belong to. Nothing where the streamed text differs:
 * a delta cannot take text back, the `done` events carry the right one.
 */
export function unsentTexts(values: readonly ItemPart[], sentText: (kind: PartKind) => string): readonly string[] {
  const offsets = new Map<PartKind, number>();
  const totals = new Map<PartKind, string>();
  for (const value of values)
    if (value.kind !== 'other') totals.set(value.kind, (totals.get(value.kind) ?? '') + value.text);
  return values.map(({ kind, text }) => {
    if (kind === 'other') return '';
    const sent = sentText(kind);
    const start = offsets.get(kind) ?? 0;
    offsets.set(kind, start + text.length);
    if (!(totals.get(kind) ?? '').startsWith(sent)) return '';
    return text.slice(Math.max(0, sent.length - start));
  });
}

/** A part as it stands in an item. */
export function partObject(value: PartValue): Record<string, unknown> {
  const { text, extra } = partFields[value.kind];
  return { type: value.kind, ...extra, ...value.raw, [text]: value.text };
}
