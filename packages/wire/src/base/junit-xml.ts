import { visibleLines } from './printable.ts';

/** One test of a report, as JUnit XML has it. */
export interface JunitCase {
  readonly name: string;
  readonly failure?: { readonly message: string; readonly text: string };
  /** Why it was not run. */
  readonly skipped?: string;
  /** What is shown of a test that passed. */
  readonly output?: string;
}

/** Tests that belong together. */
export interface JunitSuite {
  readonly name: string;
  readonly cases: readonly JunitCase[];
  /** What is shown beside them. */
  readonly output?: string;
}

/** JUnit XML, as CI systems read it. */
export function junitXml(name: string, suites: readonly JunitSuite[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escaped(name)}">\n${suites.map(suiteText).join('')}</testsuites>\n`;
}

function suiteText({ name, cases, output }: JunitSuite): string {
  const failed = cases.filter(({ failure }) => failure !== undefined).length;
  const skipped = cases.filter((one) => one.skipped !== undefined).length;
  const counts = `tests="${cases.length}" failures="${failed}" errors="0" skipped="${skipped}"`;
  const shown = output === undefined ? '' : `    ${outputText(output)}\n`;
  return `  <testsuite name="${escaped(name)}" ${counts}>\n${cases.map((one) => caseText(name, one)).join('')}${shown}  </testsuite>\n`;
}

function caseText(suite: string, one: JunitCase): string {
  const attributes = `classname="${escaped(suite)}" name="${escaped(one.name)}"`;
  const result = resultText(one);
  return result === '' ? `    <testcase ${attributes}/>\n` : `    <testcase ${attributes}>${result}</testcase>\n`;
}

function resultText({ failure, skipped, output }: JunitCase): string {
  return [
    failure === undefined ? '' : `<failure message="${escaped(failure.message)}">${escaped(failure.text)}</failure>`,
    skipped === undefined ? '' : `<skipped message="${escaped(skipped)}"/>`,
    output === undefined ? '' : outputText(output),
  ].join('');
}

function outputText(output: string): string {
  return `<system-out>${escaped(output)}</system-out>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Hidden characters are written out: most of them are none that XML 1.0 has (section 2.2). */
function escaped(text: string): string {
  return visibleLines(text)
    .toWellFormed()
    .replaceAll(/[\ufffe\uffff]/g, '\ufffd')
    .replaceAll(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
}
