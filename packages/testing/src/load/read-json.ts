import { parseTree, printParseErrorCode, type ParseError } from 'jsonc-parser';
import { MockUsageError } from '../errors.ts';

/**
 * Reads JSON that a person wrote.
 *
 * @throws MockUsageError with line and column of what is wrong: `JSON.parse` does not always say where
 */
export function readJson(source: string, where: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch (error) {
    const errors: ParseError[] = [];
    parseTree(source, errors, { disallowComments: true });
    const [first] = errors;
    const why = first === undefined ? String(error) : describeError(source, first);
    throw new MockUsageError(`${where}: not valid JSON: ${why}`);
  }
}

function describeError(source: string, { error, offset }: ParseError): string {
  const before = source.slice(0, offset).split('\n');
  const what = printParseErrorCode(error)
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toLowerCase();
  const found = offset >= source.length ? 'the end' : JSON.stringify(source.slice(offset, offset + 20));
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${what}, found ${found}`;
}
