import type { Style, Theme } from './theme.ts';

/** What a line of code is in the middle of: the text that ends it, or nothing. */
export type OpenSpan = '' | '*/' | '-->' | "'''" | '"""' | '`';

interface Language {
  readonly line: readonly string[];
  readonly spans: readonly (readonly [begin: string, end: OpenSpan])[];
  readonly words: ReadonlySet<string>;
}

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

const C_SPANS = [['/*', '*/']] as const;

const script: Language = {
  line: ['//'],
  spans: [...C_SPANS, ['`', '`']],
  words: words(
    'abstract as async await break case catch class const continue default delete do else enum export extends false finally for from function get if implements import in instanceof interface let new null of private protected public readonly return satisfies set static super switch this throw true try type typeof undefined var void while with yield',
  ),
};
const python: Language = {
  line: ['#'],
  spans: [
    ['"""', '"""'],
    ["'''", "'''"],
  ],
  words: words(
    'and as assert async await break class continue def del elif else except False finally for from global if import in is lambda None nonlocal not or pass raise return self True try while with yield match case',
  ),
};
const cLike: Language = {
  line: ['//'],
  spans: C_SPANS,
  words: words(
    'auto bool break case char class const constexpr continue crate default defer do double dyn else enum extern false final float fn for func go if impl import in int interface let long loop map match mod move mut namespace new nil null nullptr override package private protected pub public range return select self short static string struct super switch template this throw trait true try type typedef union unsafe use using var virtual void while where async await',
  ),
};
const shell: Language = {
  line: ['#'],
  spans: [],
  words: words(
    'if then else elif fi for in do done while until case esac function return export local set unset cd echo exit',
  ),
};
const sql: Language = {
  line: ['--'],
  spans: C_SPANS,
  words: words(
    'select from where and or not insert into values update set delete create table index drop alter join left right inner outer on group by order having limit as distinct null primary key SELECT FROM WHERE AND OR NOT INSERT INTO VALUES UPDATE SET DELETE CREATE TABLE INDEX DROP ALTER JOIN LEFT RIGHT INNER OUTER ON GROUP BY ORDER HAVING LIMIT AS DISTINCT NULL PRIMARY KEY',
  ),
};
const data: Language = { line: ['#'], spans: [], words: words('true false null yes no on off') };
const markup: Language = { line: [], spans: [['<!--', '-->']], words: words('') };

const languages: Readonly<Record<string, Language>> = {
  ...all('js jsx ts tsx javascript typescript mjs cjs mts', script),
  ...all('py python', python),
  ...all('c h cpp c++ cc cs csharp java kotlin kt swift go rust rs php scala dart zig', cLike),
  ...all('sh bash zsh shell console fish', shell),
  ...all('sql', sql),
  ...all('yaml yml toml ini json jsonc dockerfile make makefile', data),
  ...all('html xml svg', markup),
};

function all(names: string, language: Language): Record<string, Language> {
  return Object.fromEntries(names.split(' ').map((name) => [name, language]));
}

export interface Highlighted {
  readonly lines: readonly string[];
  /** What the text after it begins in the middle of. */
  readonly open: OpenSpan;
}

const TOKEN = /\s+|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|[\p{L}_$][\p{L}\p{N}_$]*|\d[\w.]*|[^]/uy;

/**
 * Colours code line by line: comments, strings, numbers, keywords. A language that it does not know, and a `diff`, have
 * their own simple rules. `open` is what the text before it left open.
 */
export function highlight(code: string, language: string, open: OpenSpan, theme: Theme): Highlighted {
  const name = language.trim().toLowerCase();
  if (name === 'diff' || name === 'patch') return { lines: highlightDiff(code, theme), open: '' };
  const rules = languages[name];
  if (rules === undefined) return { lines: code.split('\n'), open: '' };
  let inside = open;
  const lines = code.split('\n').map((line) => {
    const done = highlightLine(line, rules, inside, theme);
    inside = done.open;
    return done.text;
  });
  return { lines, open: inside };
}

/** The lines of a unified diff: green for what comes, red for what goes. */
export function highlightDiff(diff: string, theme: Theme): string[] {
  return diff.split('\n').map((line) => diffStyle(line, theme)(line));
}

function diffStyle(line: string, theme: Theme): Style {
  if (line.startsWith('+++') || line.startsWith('---')) return theme.dim;
  if (line.startsWith('+')) return theme.green;
  if (line.startsWith('-')) return theme.red;
  return line.startsWith('@@') ? theme.cyan : (text) => text;
}

function highlightLine(line: string, rules: Language, open: OpenSpan, theme: Theme): { text: string; open: OpenSpan } {
  let text = '';
  let at = 0;
  let inside = open;
  while (at < line.length) {
    if (inside !== '') {
      const end = line.indexOf(inside, at);
      const stop = end < 0 ? line.length : end + inside.length;
      text += spanStyle(inside, theme)(line.slice(at, stop));
      if (end >= 0) inside = '';
      at = stop;
      continue;
    }
    if (rules.line.some((mark) => line.startsWith(mark, at)))
      return { text: text + theme.dim(line.slice(at)), open: '' };
    const span = rules.spans.find(([begin]) => line.startsWith(begin, at));
    if (span !== undefined) {
      inside = span[1];
      text += spanStyle(inside, theme)(span[0]);
      at += span[0].length;
      continue;
    }
    const token = tokenAt(line, at);
    text += styleOf(token, rules, theme)(token);
    at += token.length;
  }
  return { text, open: inside };
}

function tokenAt(line: string, at: number): string {
  TOKEN.lastIndex = at;
  return TOKEN.exec(line)?.[0] ?? line.slice(at);
}

function spanStyle(open: OpenSpan, theme: Theme): Style {
  return open === '*/' || open === '-->' ? theme.dim : theme.green;
}

function styleOf(token: string, rules: Language, theme: Theme): Style {
  if (token.startsWith('"') || token.startsWith("'")) return theme.green;
  if (/^\d/.test(token)) return theme.yellow;
  return rules.words.has(token) ? theme.magenta : (text) => text;
}
