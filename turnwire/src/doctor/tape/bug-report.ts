import { quoteWord } from '@turnwire/client/internal/platform/quote-argv';
import type { TapedExchange } from '@turnwire/testing';
import { isObject, stringOf } from '@turnwire/wire/internal/base/json';
import type { DoctorReport, ReportedFinding } from '../doctor-report.ts';
import { examineTapes } from '../examine-tapes.ts';
import { sampleOf } from '../proof/findings-of.ts';
import { evidenceOf, type Evidence } from '../proof/evidence.ts';
import { curlOf } from '../report/evidence-text.ts';
import { code, evidenceText, fenced, findingFacts, inline } from '../report/markdown.ts';
import { worstFirst } from '../report/words.ts';
import { wireTitles, type ProbeWire } from '../wires.ts';

/** What a report says beside what is on the tape. */
export interface BugReportFacts {
  /** How the tape is called where the report is read. */
  readonly tape: string;
  /** turnwire's own. */
  readonly version: string;
  /** Of Node.js, and the system. */
  readonly platform: string;
  /** Only this finding; default: what is broken, or what is odd where nothing is. */
  readonly fault?: string | undefined;
}

/** Where it is written what is right. */
const references: Readonly<Record<ProbeWire, string>> = {
  server: 'RFC 9110 (HTTP)',
  chat: 'the API reference of Chat Completions (streaming), and WHATWG HTML 9.2 (server-sent events)',
  responses: 'the API reference of Responses (streaming events), and WHATWG HTML 9.2 (server-sent events)',
  messages: 'the API reference of Messages (streaming), and WHATWG HTML 9.2 (server-sent events)',
  websocket: 'the API reference of Responses (WebSocket mode), and RFC 6455',
};

/**
 * What a tape shows, as markdown for the tracker of its server: what was sent, what came, what is wrong with it by which rule,
 * how to see it again, and what versions were at work. Secrets are masked; prompts and answers are not.
 */
export async function formatBugReport(exchange: TapedExchange, facts: BugReportFacts): Promise<string> {
  const report = await examineTapes(facts.tape, [exchange]);
  const findings = wanted(report, facts.fault);
  const evidence = findings[0]?.evidence ?? (await evidenceOf(exchange, ''));
  return `${[
    `# ${title(findings, exchange)}`,
    ...findings.flatMap(({ quirk, seen }) => [`${code(quirk)}: ${inline(seen)}`]),
    '## What was sent, and what came',
    fenced(evidence.request.body, 'json'),
    ...(findings.length === 0 ? [fenced(evidenceText(evidence))] : findings.map(shown)),
    ...(findings.length === 0
      ? ['The checks of turnwire find nothing wrong with it.']
      : ['## Why it is wrong', ...findings.map(reason)]),
    '## How to see it again',
    ...reproduction(evidence, facts),
    '## Versions',
    versions(report, exchange, facts),
  ].join('\n\n')}\n`;
}

function wanted({ findings }: DoctorReport, fault: string | undefined): readonly ReportedFinding[] {
  if (fault !== undefined) return findings.filter(({ quirk }) => quirk === fault);
  const sorted = worstFirst(findings);
  const broken = sorted.filter(({ level }) => level === 'broken');
  return broken.length > 0 ? broken : sorted;
}

function title([first, ...more]: readonly ReportedFinding[], { request }: TapedExchange): string {
  if (first === undefined) return `${request.method} ${inline(request.target)}`;
  const rest = more.length === 0 ? '' : `, and ${more.map(({ quirk }) => quirk).join(', ')}`;
  return `${wireTitles[first.wire]}: ${first.quirk}${rest}`;
}

function shown({ quirk, evidence }: ReportedFinding): string {
  const marked = evidence?.lines.some((line) => 'marked' in line && line.marked) === true;
  const legend = marked ? '; `>` marks what shows it' : '';
  return evidence === undefined ? code(quirk) : `${code(quirk)}${legend}:\n\n${fenced(evidenceText(evidence))}`;
}

function reason(finding: ReportedFinding): string {
  return `${code(finding.quirk)}, by ${references[finding.wire]}:\n\n${findingFacts(finding)}`;
}

function reproduction(evidence: Evidence, { tape }: BugReportFacts): readonly string[] {
  const port = 18433;
  const replay = `npx turnwire replay ${quoteWord(tape)} --port ${port} &\n${curlOf(evidence, `http://127.0.0.1:${port}`)}`;
  return [
    'Against the server itself (with its own address, and a key where it wants one):',
    fenced(curlOf(evidence, 'http://127.0.0.1:8080'), 'sh'),
    'Or without the server, byte for byte and at the times of the recording, from the attached tape:',
    fenced(replay, 'sh'),
  ];
}

function versions({ model }: DoctorReport, exchange: TapedExchange, { version, platform }: BugReportFacts): string {
  const header = (wanted: string): string | undefined =>
    exchange.response?.headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const lines = [
    ['server', header('server')],
    ['model', model],
    ['system_fingerprint', fingerprint(exchange)],
    ['recorded', exchange.request.at],
    ['client', exchange.request.headers.find(([name]) => /^user-agent$/i.test(name))?.[1]],
    ['turnwire', version],
    ['system', platform],
  ] as const;
  return lines.flatMap(([name, value]) => (value === undefined ? [] : [`- ${name}: ${inline(value)}`])).join('\n');
}

/** What a server says of its version in its answer. */
function fingerprint(exchange: TapedExchange): string | undefined {
  const events = sampleOf(exchange)?.reading.events ?? [];
  return events
    .map(({ json }) => (isObject(json) ? stringOf(json.system_fingerprint) : undefined))
    .find((text) => text !== undefined);
}
