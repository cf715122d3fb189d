import type { ModelEvent } from '@turnwire/wire/internal/model/events';

/** True for an event with a piece of the answer: servers send about one for each token. */
export function isPiece({ type }: ModelEvent): boolean {
  return type.endsWith('.delta');
}

/** True for the first events that a person would call an answer: those of its head, and its mere beginning, say nothing. */
export function saysSomething({ type }: ModelEvent): boolean {
  return !SILENT.has(type);
}

const SILENT: ReadonlySet<ModelEvent['type']> = new Set<ModelEvent['type']>([
  'created',
  'server_model',
  'rate_limits',
  'models_etag',
]);
