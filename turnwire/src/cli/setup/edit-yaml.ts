import { isDeepStrictEqual } from 'node:util';
import { isMap, isSeq, parseDocument, stringify, type Document, type YAMLSeq } from 'yaml';
import { behindMark, EditError, insertLines, lineAfter, lineBreakOf } from './text-style.ts';

/** An entry of a list of tables that have names. */
export interface NamedEntry {
  readonly name: string;
  readonly [key: string]: unknown;
}

/**
 * A YAML text with an entry in one of its top-level lists, in the place of the one with that name or behind the last one,
 * and all else as it was. What it means then is compared with what it has to mean.
 *
 * @throws EditError for a text that is no YAML table, or whose list is in a form in which it cannot be changed
 */
export function putInYamlList(text: string, list: string, entry: NamedEntry): string {
  return behindMark(text, (body) => {
    const document = read(body);
    const result = put(body, document, list, entry);
    if (!isDeepStrictEqual(read(result).toJS(), expected(document.toJS(), list, entry))) throw cannot(list);
    return result;
  });
}

function read(text: string): Document.Parsed {
  const document = parseDocument(text);
  if (document.errors.length > 0) throw new EditError('it is not YAML');
  if (document.contents !== null && !isMap(document.contents)) throw new EditError('it is no YAML table');
  return document;
}

function cannot(list: string): EditError {
  return new EditError(`its ${list} are in a form that cannot be changed here`);
}

function expected(value: unknown, list: string, entry: NamedEntry): unknown {
  const table = (value ?? {}) as Readonly<Record<string, unknown>>;
  const entries = Array.isArray(table[list]) ? (table[list] as readonly unknown[]) : [];
  const at = entries.findIndex((one) => nameOf(one) === entry.name);
  return { ...table, [list]: at < 0 ? [...entries, entry] : entries.with(at, entry) };
}

function nameOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
}

function put(text: string, document: Document.Parsed, list: string, entry: NamedEntry): string {
  const found = document.get(list, true);
  if (found === undefined) return insertLines(text, text.length, [`${list}:`, ...linesOf(entry, '  ')]);
  if (!isSeq(found) || found.flow === true || found.range === undefined || found.range === null) throw cannot(list);
  return putInSequence(text, found, entry);
}

function putInSequence(text: string, sequence: YAMLSeq, entry: NamedEntry): string {
  const start = sequence.range?.[0] ?? 0;
  const lines = linesOf(entry, text.slice(text.lastIndexOf('\n', start - 1) + 1, start));
  const items = sequence.items.filter(isMap);
  const old = items.find((item) => item.get('name') === entry.name);
  const last = old ?? items.at(-1);
  const [from = 0, to = 0] = last?.range ?? [];
  if (last === undefined || items.length !== sequence.items.length)
    throw new EditError('its list holds something else');
  if (old === undefined) return insertLines(text, endOfItem(text, to), lines);
  const begin = text.lastIndexOf('\n', from - 1) + 1;
  const end = endOfItem(text, to);
  return text.slice(0, begin) + lines.map((line) => line + lineBreakOf(text)).join('') + text.slice(end);
}

/** A value's range ends behind its line break, or before it. */
function endOfItem(text: string, end: number): number {
  return text[end - 1] === '\n' ? end : lineAfter(text, end);
}

function linesOf(entry: NamedEntry, indent: string): readonly string[] {
  const lines = stringify([entry], { lineWidth: 0 }).trimEnd().split('\n');
  return lines.map((line) => indent + line);
}
