import { createHash } from 'node:crypto';
import type { Comparison, Change } from './baseline.ts';
import type { DoctorReport, ProbeReport, ReportedFinding } from '../doctor-report.ts';
import { counted } from '../finding.ts';
import { wireTitles } from '../wires.ts';
import { card } from './card.ts';
import { html, Html } from './html.ts';
import { matrixOf, type Matrix } from './matrix.ts';
import { style } from './style.ts';
import { markOf, outcomes, outcomeWords, shareOf, worstFirst } from './words.ts';

/** What a page says of itself. */
export interface PageFacts {
  /** When the examination was made, ISO 8601. */
  readonly at: string;
  /** turnwire's own. */
  readonly version: string;
  /** Against the report of before, where there is one. */
  readonly comparison?: Comparison | undefined;
}

/**
 * Reports as one page that stands alone: nothing is fetched and nothing runs, and whatever a server said is text. Several
 * servers begin with a table of all of them.
 */
export function formatPage(reports: readonly DoctorReport[], facts: PageFacts): string {
  const [first, ...more] = reports;
  const title = first === undefined || more.length > 0 ? counted(reports.length, 'server') : first.url;
  const hash = createHash('sha256').update(style).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const page = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="${policy}" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="referrer" content="no-referrer" />
      <title>turnwire doctor: ${title}</title>
      ${new Html(`<style>${style}</style>`)}
    </head>
    <body>
      <main>
        ${more.length > 0 ? overview(matrixOf(reports)) : undefined} ${comparisonSection(facts.comparison)}
        ${reports.map((report, n) => section(report, n))}
        <p class="soft">turnwire ${facts.version}, ${facts.at}. Every finding: docs/doctor.md of turnwire.</p>
      </main>
    </body>
  </html>`;
  return `<!doctype html>\n${page.text}\n`;
}

function section(report: DoctorReport, n: number): Html {
  const { url, model, findings, broken, tally } = report;
  const ids = new Map(worstFirst(findings).map((finding, at) => [finding, `s${n}-${at}`]));
  const cards = (level: string): readonly Html[] =>
    findings.filter((one) => one.level === level).map((one) => card(one, ids.get(one) ?? '', url));
  const odd = cards('odd');
  return html`<section>
    <h1>${url}</h1>
    <p class="soft">
      Model ${model}. ${counted(tally.checks, 'check')}:
      ${broken < 2 ? counted(broken, 'fault') : `${broken} different faults`}, ${odd.length} odd.
    </p>
    <ul class="tiles">
      ${outcomes.map((outcome) => html`<li class="${outcome}"><b>${tally[outcome]}</b>${outcomeWords[outcome]}</li>`)}
    </ul>
    ${
      broken === 0
        ? undefined
        : html`<h2>Faults</h2>
            ${jumps(report, ids)} ${cards('broken')}`
    }
    ${ratesTable(report)}
    ${
      odd.length === 0
        ? undefined
        : html`<h2>Odd, and allowed</h2>
            <details>
              <summary>${counted(odd.length, 'finding')} that only some clients mind</summary>
              ${odd}
            </details>`
    }
    <h2>Every check</h2>
    <table>
      <thead>
        <tr>
          <th>Wire</th>
          <th>Check</th>
          <th>Outcome</th>
          <th>Seen</th>
        </tr>
      </thead>
      <tbody>
        ${report.probes.map(probeRow)}
      </tbody>
    </table>
  </section>`;
}

/** Where each fault is, when there are several. */
function jumps({ findings, broken }: DoctorReport, ids: ReadonlyMap<ReportedFinding, string>): Html | undefined {
  if (broken < 2) return undefined;
  const links = findings
    .filter(({ level }) => level === 'broken')
    .map(
      (one) =>
        html`<li>
          <a href="#${ids.get(one)}"><code>${one.quirk}</code></a
          >: ${one.seen} (${wireTitles[one.wire]})
        </li>`,
    );
  return html`<ul>
    ${links}
  </ul>`;
}

function probeRow(probe: ProbeReport): Html {
  const names = [...probe.findings.map(({ quirk }) => quirk), ...probe.again];
  const told = names.length === 0 ? undefined : html` <span class="soft">(${names.join(', ')})</span>`;
  return html`<tr>
    <td>${wireTitles[probe.wire]}</td>
    <td>${probe.name}</td>
    <td class="${probe.outcome}">${outcomeWords[probe.outcome]}</td>
    <td>${probe.seen}${told}</td>
  </tr>`;
}

function ratesTable({ rates }: DoctorReport): Html | undefined {
  if (rates.length === 0) return undefined;
  return html`<h2>How often</h2>
    <table>
      <thead>
        <tr>
          <th>Wire</th>
          <th>What</th>
          <th>How often</th>
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${rates.map(
          (rate) =>
            html`<tr>
              <td>${wireTitles[rate.wire]}</td>
              <td>${rate.what}</td>
              <td>${shareOf(rate)}</td>
              <td><meter min="0" max="${Math.max(1, rate.n)}" value="${rate.k}"></meter></td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function comparisonSection(comparison: Comparison | undefined): Html | undefined {
  if (comparison === undefined) return undefined;
  const { worse, better, noted } = comparison;
  const list = (title: string, changes: readonly Change[]): Html | undefined =>
    changes.length === 0
      ? undefined
      : html`<h3>${title}</h3>
          <ul>
            ${changes.map((change) => html`<li>${change.text}</li>`)}
          </ul>`;
  const same = worse.length + better.length + noted.length === 0 ? html`<p>Nothing changed.</p>` : undefined;
  return html`<h2>Against the report of before</h2>
    ${list('Worse', worse)}${list('Better', better)}${list('New, and allowed', noted)}${same}`;
}

function overview({ servers, rows }: Matrix): Html {
  return html`<h1>${counted(servers.length, 'server')}</h1>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Check</th>
            ${servers.map(({ url, model }) => html`<th class="word">${url}<br />${model}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                <th scope="row">${row.title}</th>
                ${row.cells.map(matrixCell)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function matrixCell(cell: ProbeReport | undefined): Html {
  if (cell === undefined) return html`<td></td>`;
  const names = [...cell.findings.map(({ quirk }) => quirk), ...cell.again];
  const colour = cell.outcome === 'pass' && cell.verdict === 'odd' ? 'odd' : cell.outcome;
  return html`<td class="${colour}">${markOf(cell)} ${names.join(', ')}</td>`;
}
