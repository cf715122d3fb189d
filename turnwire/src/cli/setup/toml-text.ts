import { stringify } from 'smol-toml';
import { withEdits, type KeyEdit } from './text-style.ts';

/** A value as TOML writes it on one line. */
export function tomlValue(value: unknown): string {
  return stringify({ value })
    .trim()
    .replace(/^value = /, '');
}

/** A file with these keys alone. */
export function tomlOf(edits: readonly KeyEdit[]): string {
  return stringify(withEdits({}, edits));
}
