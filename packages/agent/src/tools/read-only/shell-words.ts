/** The words of a simple command, without quotes. */
export type Words = readonly [string, ...string[]];

export interface SimpleCommand {
  readonly words: Words;
  /** What stands between it and the next one. */
  readonly operator?: string;
}

/**
 * Whether what stands after `&&`, `||`, `;` or `|` changes nothing in how the words were read: all four only run
 * commands.
 */
const OPERATORS = new Set(['&&', '||', ';', '|']);

/** Characters that a shell gives a meaning we do not follow: then the command is not understood. */
const SPECIAL = new Set('$`\\<>(){}[]*?!#~&\n\r');

/**
 * The simple commands of a shell line that uses nothing but words, quotes and `&&`, `||`, `;`, `|`. `undefined` for
 * everything else: substitutions, redirections, globs, assignments, background jobs, comments, other white space. What
 * is not understood is not trusted.
 */
export function simpleCommands(line: string): readonly SimpleCommand[] | undefined {
  const tokens = tokenise(line);
  if (tokens === undefined) return undefined;
  // A `;` at the end is fine; an operator without a command on one side is not.
  if (tokens.length > 1 && tokens.at(-1)?.type === 'operator' && tokens.at(-1)?.text === ';') tokens.pop();
  const commands: SimpleCommand[] = [];
  let words: string[] = [];
  for (const token of [...tokens, undefined]) {
    if (token?.type === 'word') words.push(token.text);
    else if (!isWords(words)) return undefined;
    else {
      commands.push(token === undefined ? { words } : { words, operator: token.text });
      words = [];
    }
  }
  return commands;
}

interface Token {
  readonly type: 'word' | 'operator';
  readonly text: string;
}

function isWords(words: string[]): words is [string, ...string[]] {
  const [first] = words;
  // An assignment before a command changes what the command does.
  return first !== undefined && !first.includes('=');
}

function tokenise(line: string): Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  while (at < line.length) {
    const char = line.charAt(at);
    if (char === ' ' || char === '\t') {
      at += 1;
      continue;
    }
    const operator = operatorAt(line, at);
    const token =
      operator === undefined
        ? wordAt(line, at)
        : { type: 'operator' as const, text: operator, end: at + operator.length };
    if (token === undefined) return undefined;
    tokens.push({ type: token.type, text: token.text });
    at = token.end;
  }
  return tokens;
}

function operatorAt(line: string, at: number): string | undefined {
  const two = line.slice(at, at + 2);
  if (OPERATORS.has(two)) return two;
  if (two === '|&' || two === ';;') return undefined;
  return OPERATORS.has(line.charAt(at)) ? line.charAt(at) : undefined;
}

function wordAt(line: string, start: number): (Token & { end: number }) | undefined {
  let text = '';
  let at = start;
  while (at < line.length) {
    const char = line.charAt(at);
    if (char === ' ' || char === '\t' || char === ';' || char === '|' || line.startsWith('&&', at)) break;
    if (char === "'" || char === '"') {
      const close = line.indexOf(char, at + 1);
      const inner = close < 0 ? undefined : line.slice(at + 1, close);
      if (inner === undefined || !isPlain(inner, char)) return undefined;
      text += inner;
      at = close + 1;
    } else if (char === '~' && /[^:=]$/.test(text)) {
      text += char; // `HEAD~1`: a shell expands a tilde only at the start of a word, or after `:` or `=`.
      at += 1;
    } else if (SPECIAL.has(char) || !isVisible(char)) {
      return undefined;
    } else {
      text += char;
      at += 1;
    }
  }
  return at === start ? undefined : { type: 'word', text, end: at };
}

/** Inside double quotes a shell still expands; and a line break inside any quote is more than we want to read. */
function isPlain(inner: string, quote: string): boolean {
  return !/[\n\r\0]/.test(inner) && (quote === "'" || !/[$`\\!]/.test(inner));
}

/** Not a control character nor another kind of space, which shells and we might see differently. */
function isVisible(char: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Z}\u0085]/u.test(char);
}
