import type { ModelMapRow } from '../options.ts';
import { matches } from './model-names.ts';

/** The name that servers are asked for when a client asks for `model`: that of the first row that matches, else the same. */
export function mapModel(rows: readonly ModelMapRow[], model: string): string {
  return rows.find(({ pattern }) => matches(pattern, model))?.model ?? model;
}
