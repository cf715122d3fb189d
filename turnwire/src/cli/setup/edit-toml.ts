import { isDeepStrictEqual } from 'node:util';
import { parse, TomlError } from 'smol-toml';
import { parseTOML, ParseError, type AST } from 'toml-eslint-parser';
import { behindMark, EditError, insertLines, lineAfter, withEdits, type KeyEdit } from './text-style.ts';
import { tomlValue } from './toml-text.ts';

/**
 * A TOML text with some keys set or taken out, and all else as it was: comments, order, spaces, line breaks. What it means
 * then is compared with what it has to mean.
 *
 * @throws EditError for a text that is not TOML, or that has the keys in a form in which they cannot be changed
 */
export function editToml(text: string, edits: readonly KeyEdit[]): string {
  return behindMark(text, (body) => {
    const before = read(body);
    const result = applyAll(body, edits);
    if (!isDeepStrictEqual(read(result), withEdits(before, edits))) throw cannot(body, edits);
    return result;
  });
}

/** A table that is written inline, or with dotted keys, cannot have a part with a head of its own: that is no TOML. */
function applyAll(text: string, edits: readonly KeyEdit[]): string {
  try {
    return edits.reduce(apply, text);
  } catch (error) {
    throw error instanceof ParseError ? cannot(text, edits) : error;
  }
}

function read(text: string): unknown {
  try {
    return structuredClone(parse(text));
  } catch (error) {
    const where = error instanceof TomlError ? ` (line ${error.line})` : '';
    throw new EditError(`it is not TOML${where}`, { cause: error });
  }
}

/** Names the first key that is in the way: one that holds a table inline, or that is part of one by its dots. */
function cannot(text: string, edits: readonly KeyEdit[]): EditError {
  const tables = edits.filter(({ path }) => path.length > 1).map(({ path }) => path.slice(0, -1));
  const wrong = placesIn(parseTOML(text).body[0]).find(({ path, node }) => {
    const isPart = node.parent.type !== 'TOMLTable' && path.length > 1;
    return tables.some((table) => table[0] === path[0]) && (isPart || node.value.type === 'TOMLInlineTable');
  });
  const table = tables.find(([first]) => first === wrong?.path[0]);
  if (wrong === undefined || table === undefined)
    return new EditError('its keys are in a form that cannot be changed here');
  const { line } = wrong.node.loc.start;
  return new EditError(
    `line ${line}: ${keyText(wrong.path)} cannot be changed in this form: write it with a head of its own, [${keyText(table)}]`,
  );
}

interface KeyPlace {
  readonly path: readonly string[];
  readonly node: AST.TOMLKeyValue;
}

function apply(text: string, { path, value }: KeyEdit): string {
  const top = parseTOML(text).body[0];
  const found = placesIn(top).find((place) => isDeepStrictEqual(place.path, path));
  if (value === undefined) return found === undefined ? text : withoutLines(text, found.node);
  if (found === undefined) return insert(text, top, path, value);
  const [start, end] = found.node.value.range;
  return `${text.slice(0, start)}${tomlValue(value)}${text.slice(end)}`;
}

/** All keys that stand on lines of their own. */
function placesIn(top: AST.TOMLTopLevelTable): readonly KeyPlace[] {
  return top.body.flatMap((node) => {
    if (node.type === 'TOMLKeyValue') return [{ path: namesOf(node.key), node }];
    const table = node.resolvedKey.map(String);
    return node.body.map((inner) => ({ path: [...table, ...namesOf(inner.key)], node: inner }));
  });
}

function namesOf({ keys }: AST.TOMLKey): readonly string[] {
  return keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value));
}

function withoutLines(text: string, { range: [start, end] }: AST.TOMLKeyValue): string {
  return text.slice(0, text.lastIndexOf('\n', start) + 1) + text.slice(lineAfter(text, end));
}

function insert(text: string, top: AST.TOMLTopLevelTable, path: readonly string[], value: unknown): string {
  const table = path.slice(0, -1);
  const line = `${keyText(path.slice(-1))} = ${tomlValue(value)}`;
  if (table.length === 0) {
    const last = top.body.filter((node) => node.type === 'TOMLKeyValue').at(-1);
    if (last !== undefined) return insertLines(text, lineAfter(text, last.range[1]), [line]);
    return insertLines(text, 0, text.trim() === '' ? [line] : [line, '']);
  }
  const owner = top.body.find(
    (node) => node.type === 'TOMLTable' && node.kind === 'standard' && isDeepStrictEqual(node.resolvedKey, table),
  );
  if (owner?.type === 'TOMLTable') {
    const behind = owner.body.at(-1) ?? owner.key;
    return insertLines(text, lineAfter(text, behind.range[1]), [line]);
  }
  const gap = text === '' || /\n\s*\n$/.test(text) ? [] : [''];
  return insertLines(text, text.length, [...gap, `[${keyText(table)}]`, line]);
}

function keyText(path: readonly string[]): string {
  return path.map((name) => (/^[\w-]+$/.test(name) ? name : tomlValue(name))).join('.');
}
