import { isDeepStrictEqual } from 'node:util';
import {
  applyEdits,
  createScanner,
  findNodeAtLocation,
  modify,
  parse,
  parseTree,
  type Node,
  type ParseError,
} from 'jsonc-parser';
import { behindMark, EditError, indentOf, lineAfter, lineBreakOf, withEdits, type KeyEdit } from './text-style.ts';

const lenient = { allowTrailingComma: true };

/**
 * A JSON text, with comments or trailing commas if it has them, with some keys set or taken out and all else as it was. What it
 * means then is compared with what it has to mean.
 *
 * @throws EditError for a text that is no JSON object, or that has something else where a table is wanted
 */
export function editJsonc(text: string, edits: readonly KeyEdit[]): string {
  return behindMark(text, (body) => {
    const begun = body.trim() === '' ? '{\n}\n' : body;
    const before = read(begun);
    const result = edits.reduce(apply, begun);
    if (!isDeepStrictEqual(read(result), withEdits(before, edits))) {
      throw new EditError('it has a key twice, or something else where a table is wanted');
    }
    return result;
  });
}

function read(text: string): unknown {
  const errors: ParseError[] = [];
  const value = parse(text, errors, lenient) as unknown;
  const [first] = errors;
  if (first !== undefined) {
    throw new EditError(`it is not JSON (line ${text.slice(0, first.offset).split('\n').length})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new EditError('it is no JSON object');
  return value;
}

function apply(text: string, { path, value }: KeyEdit): string {
  const root = parseTree(text, [], lenient);
  if (root === undefined) return text;
  const found = findNodeAtLocation(root, [...path]);
  if (value === undefined && found === undefined) return text;
  if (found !== undefined) return value === undefined ? remove(text, found, path) : change(text, path, value);
  const depth = path.findIndex((_, at) => findNodeAtLocation(root, path.slice(0, at + 1)) === undefined);
  const owner = findNodeAtLocation(root, path.slice(0, depth));
  const nested = path.slice(depth + 1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  return owner?.type === 'object' ? insert(text, owner, path.slice(0, depth + 1), nested) : text;
}

/** What the library does well: a value in the place of another, a key taken out. */
function change(text: string, path: readonly string[], value: unknown): string {
  const unit = indentOf(text);
  const formattingOptions = { insertSpaces: unit !== '\t', tabSize: unit.length, eol: lineBreakOf(text) };
  return applyEdits(text, modify(text, [...path], value, { formattingOptions }));
}

/** A new key goes on the last line of its object: the library would put it before the comments that stand there. */
function insert(text: string, owner: Node, path: readonly string[], value: unknown): string {
  const close = owner.offset + owner.length - 1;
  const line = text.lastIndexOf('\n', close - 1) + 1;
  const outer = text.slice(line, close);
  if (line <= owner.offset || outer.trim() !== '') return change(text, path, value);
  const [unit, eol] = [indentOf(text), lineBreakOf(text)];
  const indent = outer + unit;
  const json = JSON.stringify(value, undefined, unit).replaceAll('\n', eol + indent);
  const last = owner.children?.at(-1);
  const end = last === undefined ? undefined : last.offset + last.length;
  const hasComma = end !== undefined && commaBehind(text, end) !== undefined;
  const before = end === undefined || hasComma ? text.slice(0, line) : `${text.slice(0, end)},${text.slice(end, line)}`;
  return `${before}${indent}${JSON.stringify(path.at(-1))}: ${json}${hasComma ? ',' : ''}${eol}${text.slice(line)}`;
}

/** A key that has its lines to itself goes with them; the library would take the comments before it along. */
function remove(text: string, value: Node, path: readonly string[]): string {
  const { parent: key } = value;
  const siblings = key?.parent?.children ?? [];
  if (key === undefined) return text;
  const begin = text.lastIndexOf('\n', key.offset) + 1;
  const end = key.offset + key.length;
  const comma = commaBehind(text, end);
  const behind = lineAfter(text, end);
  const rest = text.slice((comma ?? end - 1) + 1, behind).trim();
  if (text.slice(begin, key.offset).trim() !== '' || !/^(?:$|\/\/|\/\*[^]*\*\/$)/.test(rest)) {
    return change(text, path, undefined);
  }
  const before = siblings[siblings.indexOf(key) - 1];
  const spare =
    comma === undefined && before !== undefined ? commaBehind(text, before.offset + before.length) : undefined;
  const kept = spare === undefined ? text.slice(0, begin) : text.slice(0, spare) + text.slice(spare + 1, begin);
  return kept + text.slice(behind);
}

/** Where the comma behind a value is, comments and blanks passed over. */
function commaBehind(text: string, offset: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(offset);
  scanner.scan();
  const at = scanner.getTokenOffset();
  return text[at] === ',' ? at : undefined;
}
