import { contentValues, partObject, unsentTexts, valuesOf, type ItemPart, type PartKind } from './item-parts.ts';
import {
  isAssistantMessage,
  isReasoning,
  type AssistantMessage,
  type OutputItem,
  type ReasoningItem,
} from './model/items.ts';

const textKinds: readonly PartKind[] = ['output_text', 'refusal', 'reasoning_text', 'summary_text'];

/** What earlier wire items of an item carried, and one more of them. */
export function addTexts(
  before: ReadonlyMap<PartKind, string>,
  sentText: (kind: PartKind) => string,
): ReadonlyMap<PartKind, string> {
  return new Map(textKinds.map((kind) => [kind, (before.get(kind) ?? '') + sentText(kind)]));
}

/** What of the authoritative item the earlier wire items did not carry; `undefined` when that is nothing. */
export function restOf(item: OutputItem, carried: ReadonlyMap<PartKind, string>): OutputItem | undefined {
  const sent = (kind: PartKind): string => carried.get(kind) ?? '';
  if (isAssistantMessage(item)) {
    const content = restParts(contentValues(item.content), sent) as AssistantMessage['content'];
    return content.length === 0 ? undefined : { ...item, content };
  }
  if (!isReasoning(item)) return undefined;
  const summary = restParts(valuesOf(item.summary, ['summary_text']), sent) as ReasoningItem['summary'];
  const content = restParts(valuesOf(item.content ?? [], ['reasoning_text']), sent) as ReasoningItem['content'] &
    object;
  return summary.length + content.length === 0 ? undefined : { ...item, summary, content };
}

function restParts(values: readonly ItemPart[], sent: (kind: PartKind) => string): unknown[] {
  const rests = unsentTexts(values, sent);
  return values.flatMap((value, i) => {
    const text = rests[i] ?? '';
    return value.kind === 'other' || text.trim() === '' ? [] : [partObject({ ...value, text })];
  });
}
