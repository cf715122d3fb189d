/** What may follow the name of a program. What is not named here is not known to be harmless, and asks. */
export interface Options {
  /** Short options as getopt writes them: `n:` takes a value, `M::` may have one glued to it. */
  readonly short?: string;
  /** Long options, with blanks between: `lines=` takes a value, `color?` may have one behind its `=`. */
  readonly long?: string;
  /** `-5` is an option. */
  readonly numbers?: boolean;
  /**
   * Long options begin with one dash, as those of `find`, and short ones are not known. `--` ends none of them:
   * `find -- -delete` deletes.
   */
  readonly oneDash?: boolean;
}

export interface Arguments {
  /** Names without dashes, in their order; a value where there is one. */
  readonly options: readonly { readonly name: string; readonly value?: string }[];
  /** Also `-`, and everything behind `--`. */
  readonly operands: readonly string[];
  /** Words of their own that are no operands: options, and values that stand behind them. */
  readonly others: readonly string[];
}

type Kind = 'flag' | 'value' | 'glued';

/** A value that begins with a dash might be an option for another version of the program; a number is none. */
const DASHED_VALUE = /^-(?!\d+\w?$)/;

/** The arguments by their parts; or, as a string, the word that is not understood. */
export function parseArguments(args: readonly string[], known: Options): Arguments | string {
  const options: { name: string; value?: string }[] = [];
  const operands: string[] = [];
  const others: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? '';
    if (word === '--' && known.oneDash !== true) {
      operands.push(...args.slice(at + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      operands.push(word);
      continue;
    }
    others.push(word);
    const parsed = optionsIn(word, known);
    if (parsed === undefined) return word;
    const last = parsed.at(-1);
    if (last?.wantsValue === true) {
      // `--` may be such a value, and then options follow still (`sort -S -- -o FILE`).
      at += 1;
      last.value = args[at];
      if (last.value === undefined || DASHED_VALUE.test(last.value)) return word;
      others.push(last.value);
    }
    options.push(...parsed.map(({ name, value }) => (value === undefined ? { name } : { name, value })));
  }
  return { options, operands, others };
}

interface Found {
  readonly name: string;
  value?: string | undefined;
  readonly wantsValue?: boolean;
}

function optionsIn(word: string, known: Options): Found[] | undefined {
  if (known.numbers === true && /^-\d+$/.test(word)) return [{ name: 'number', value: word.slice(1) }];
  if (known.oneDash === true) return longOption(word.slice(1), known.long);
  return word.startsWith('--') ? longOption(word.slice(2), known.long) : cluster(word.slice(1), known.short ?? '');
}

function longOption(text: string, known = ''): Found[] | undefined {
  const [, name = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  const kind = kindOfLong(name, known);
  if (kind === undefined || (kind === 'flag' && value !== undefined)) return undefined;
  return [{ name, value, wantsValue: kind === 'value' && value === undefined }];
}

function kindOfLong(name: string, known: string): Kind | undefined {
  const words = known.split(/\s+/);
  if (!/^[\w-]+$/.test(name)) return undefined;
  if (words.includes(name)) return 'flag';
  if (words.includes(`${name}=`)) return 'value';
  return words.includes(`${name}?`) ? 'glued' : undefined;
}

/** `-rn5`: options without a value, then perhaps one with the rest as its value. */
function cluster(letters: string, known: string): Found[] | undefined {
  const found: Found[] = [];
  for (let at = 0; at < letters.length; at += 1) {
    const name = letters.charAt(at);
    const kind = kindOfShort(name, known);
    if (kind === undefined) return undefined;
    if (kind === 'flag') {
      found.push({ name });
      continue;
    }
    const rest = letters.slice(at + 1);
    found.push({ name, value: rest === '' ? undefined : rest, wantsValue: kind === 'value' && rest === '' });
    return found;
  }
  return found;
}

function kindOfShort(letter: string, known: string): Kind | undefined {
  const at = letter === ':' ? -1 : known.indexOf(letter);
  if (at < 0) return undefined;
  if (known.startsWith('::', at + 1)) return 'glued';
  return known.startsWith(':', at + 1) ? 'value' : 'flag';
}
