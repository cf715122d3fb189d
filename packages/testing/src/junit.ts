import { visibleLines } from '@turnwire/wire/internal/base/printable';

/** One test of a report. */
export interface JunitCase {
  readonly name: string;
  /** What is wrong; none: it passed. */
  readonly failures: readonly string[];
}

/** JUnit XML with one suite, as CI systems read it. @param output - what is shown beside its tests */
export function junitXml(suite: string, cases: readonly JunitCase[], output = ''): string {
  const failed = cases.filter(({ failures }) => failures.length > 0).length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escapeXml(suite)}" tests="${cases.length}" failures="${failed}" errors="0">`,
    ...cases.map((test) => testCase(suite, test)),
    ...(output === '' ? [] : [`  <system-out>${escapeXml(output)}</system-out>`]),
    '</testsuite>',
    '',
  ].join('\n');
}

function testCase(suite: string, { name, failures }: JunitCase): string {
  const attributes = `classname="${escapeXml(suite)}" name="${escapeXml(name)}"`;
  if (failures.length === 0) return `  <testcase ${attributes}/>`;
  const [first = ''] = failures;
  return `  <testcase ${attributes}><failure message="${escapeXml(first)}">${escapeXml(failures.join('\n'))}</failure></testcase>`;
}

/** Control characters have no place in XML 1.0, escaped or not: they are shown as what they are. */
function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return visibleLines(text).replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
