import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

/**
 * Deletes each row of the dialect tables, one at a time, and runs the tests of its table: a row that nobody misses is told,
 * and the exit code is 1. The file is put back each time, and when the run is interrupted. Usage:
 * `npm run break:rows [-- TABLE…]`, e.g. `finish-reasons`; a few seconds for each row.
 */
const FOLDER = 'packages/wire/src/dialects/';

/** The tests that know the rows of a table. */
const testsOf: Readonly<Record<string, readonly string[]>> = {
  'answer-extras': ['test/wire/chat-beside-text.test.ts', 'test/wire/encode-chat.test.ts'],
  'error-codes': ['test/model/classify.test.ts'],
  'error-shapes': ['test/wire/error-shapes.test.ts', 'test/model/classify.test.ts'],
  'finish-reasons': ['test/wire/finish-reasons.test.ts', 'test/wire/encode-chat.test.ts'],
  'full-context': ['test/model/classify.test.ts'],
  heals: ['test/wire/heals.test.ts'],
  money: ['test/model/classify.test.ts'],
  'reasoning-shapes': ['test/wire/chat-beside-text.test.ts', 'test/wire/chat-reasoning-usage.test.ts'],
  'think-tags': ['test/wire/think-tags.test.ts'],
  'usage-names': ['test/wire/usage-names.test.ts'],
  'wire-signs': ['test/wire/wrong-wire.test.ts'],
};

interface Row {
  readonly text: string;
  readonly line: number;
  /** The file without it. */
  readonly broken: string;
}

const wanted = process.argv.slice(2);
const tables = readdirSync(FOLDER).flatMap((file) => /^(.+)\.ts$/.exec(file)?.[1] ?? []);
const survivors: string[] = [];
for (const table of wanted.length === 0 ? tables : wanted) {
  const tests = testsOf[table];
  if (tests === undefined) throw new Error(`${table}: say in scripts/break-rows.ts which tests know its rows`);
  survivors.push(...breakRows(table, tests));
}
console.log(survivors.length === 0 ? 'every row is missed by a test' : `nobody misses:\n${survivors.join('\n')}`);
process.exitCode = survivors.length === 0 ? 0 : 1;

function breakRows(table: string, tests: readonly string[]): string[] {
  const file = `${FOLDER}${table}.ts`;
  const whole = readFileSync(file, 'utf8');
  const rows = rowsOf(file, whole);
  const missed = rows.filter(({ broken }) => {
    try {
      writeFileSync(file, broken);
      return passes(tests);
    } finally {
      writeFileSync(file, whole);
    }
  });
  console.log(`${table}: ${rows.length} rows, ${missed.length} missed by nobody`);
  return missed.map(({ text, line }) => `${file}:${line} ${text}`);
}

function passes(tests: readonly string[]): boolean {
  const args = ['run', ...tests, '--bail=1', '--maxWorkers=1', '--silent', '--reporter=dot'];
  // Ctrl-C ends the tests, too; the file is put back before this process ends.
  const { status, signal } = spawnSync('vitest', args, { stdio: 'ignore' });
  if (signal !== null) throw new Error(`the tests ended by ${signal}`);
  return status === 0;
}

/** Every element of a table: what stands in an array, a set or an object at the top of the file, and in the lists of its rows. */
function rowsOf(file: string, whole: string): readonly Row[] {
  const source = ts.createSourceFile(file, whole, ts.ScriptTarget.Latest, true);
  const elements = source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations])
    .flatMap(({ initializer }) => (initializer === undefined ? [] : elementsOf(initializer)));
  return elements.map((element) => {
    const end = /^\s*,/.exec(whole.slice(element.end))?.[0].length ?? 0;
    return {
      text: element.getText().replaceAll(/\s+/g, ' ').slice(0, 80),
      line: source.getLineAndCharacterOfPosition(element.getStart()).line + 1,
      broken: whole.slice(0, element.getStart()) + whole.slice(element.end + end),
    };
  });
}

function elementsOf(given: ts.Expression): readonly ts.Node[] {
  const table = tableIn(given);
  if (ts.isArrayLiteralExpression(table)) return table.elements.flatMap((row) => [row, ...listsOf(row)]);
  if (ts.isObjectLiteralExpression(table)) {
    return table.properties.flatMap((row) =>
      ts.isPropertyAssignment(row) ? [row, ...elementsOf(row.initializer)] : [row],
    );
  }
  return [];
}

/** The words in the lists of a row. */
function listsOf(row: ts.Node): readonly ts.Node[] {
  if (!ts.isObjectLiteralExpression(row)) return [];
  return row.properties
    .filter(ts.isPropertyAssignment)
    .map(({ initializer }) => initializer)
    .filter(ts.isArrayLiteralExpression)
    .flatMap(({ elements }) => (elements.length > 1 ? [...elements] : []));
}

/** The literal behind `as const`, `satisfies` and `new Set(…)`. */
function tableIn(expression: ts.Expression): ts.Expression {
  if (ts.isAsExpression(expression) || ts.isSatisfiesExpression(expression)) return tableIn(expression.expression);
  const [first] = ts.isNewExpression(expression) ? (expression.arguments ?? []) : [];
  return first === undefined ? expression : tableIn(first);
}
