import type { JsonObject } from '../base/json.ts';
import type { Part, TrackedItem } from './item-tracker.ts';

/** Where a text delta goes, and the wire fields that said so. */
export interface TextTarget {
  readonly type: unknown;
  readonly itemId: unknown;
  readonly outputIndex: unknown;
  readonly contentIndex: unknown;
  readonly summaryIndex: unknown;
  readonly slot: TrackedItem;
  readonly part: Part;
}

export function textTargetOf(event: JsonObject, slot: TrackedItem, part: Part): TextTarget {
  return {
    type: event['type'],
    itemId: event['item_id'],
    outputIndex: event['output_index'],
    contentIndex: event['content_index'],
    summaryIndex: event['summary_index'],
    slot,
    part,
  };
}

/** Whether an event says the same of its place as the one before. */
export function isSameText(last: TextTarget, event: JsonObject): boolean {
  return (
    last.type === event['type'] &&
    last.itemId === event['item_id'] &&
    last.outputIndex === event['output_index'] &&
    last.contentIndex === event['content_index'] &&
    last.summaryIndex === event['summary_index']
  );
}

/** The call that a piece of input went to, and the wire fields that said so. */
export interface CallTarget {
  readonly type: unknown;
  readonly itemId: unknown;
  readonly callId: unknown;
  readonly outputIndex: unknown;
  /** How much the tracker knew. */
  readonly changes: number;
  readonly slot: TrackedItem;
}

export function callTargetOf(event: JsonObject, slot: TrackedItem, changes: number): CallTarget {
  return {
    type: event['type'],
    itemId: event['item_id'],
    callId: event['call_id'],
    outputIndex: event['output_index'],
    changes,
    slot,
  };
}

/** Whether an event says the same of its call as the one before, of which the tracker knows no more by now. */
export function isSameCall(last: CallTarget, event: JsonObject, changes: number): boolean {
  return (
    last.changes === changes &&
    last.type === event['type'] &&
    last.itemId === event['item_id'] &&
    last.callId === event['call_id'] &&
    last.outputIndex === event['output_index']
  );
}
