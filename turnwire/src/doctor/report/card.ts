import { wireTitles } from '../wires.ts';
import type { ReportedFinding } from '../doctor-report.ts';
import type { Evidence, EvidenceLine } from '../proof/evidence.ts';
import type { ClientVerdict } from '../quirks/clients.ts';
import { curlOf, endWords, headOf } from './evidence-text.ts';
import { html, type Html } from './html.ts';

/** A finding on a page: what was seen, the bytes that show it, who stumbles, and who can mend it. */
export function card(finding: ReportedFinding, id: string, url: string): Html {
  const { quirk, level, wire, seen, right, evidence, answer, repairs, mend } = finding;
  return html`<article class="card ${level}" id="${id}">
    <header>
      <span class="badge">${level === 'broken' ? 'fault' : 'odd'}</span>
      <h3>
        <a href="#${id}"><code>${quirk}</code></a>
      </h3>
      <span class="soft">${wireTitles[wire]}</span>
    </header>
    <p class="seen">${seen}</p>
    <p class="soft">Right: ${right}.</p>
    ${evidence === undefined ? undefined : evidenceFigure(evidence, url)}
    <h4>Who stumbles</h4>
    ${clientTable(finding.clients)}
    <dl>
      <dt>turnwire</dt>
      <dd>
        ${answer}${repairs.length === 0 ? undefined : html` (repair ${repairs.map((name, n) => html`${n === 0 ? '' : ', '}<code>${name}</code>`)})`}
      </dd>
      <dt>The server's maker</dt>
      <dd>${mend}</dd>
    </dl>
  </article>`;
}

function evidenceFigure(evidence: Evidence, url: string): Html {
  const { request, lines, end, end_ms: endMs, headers } = evidence;
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return html`<figure>
      <figcaption>${request.method} ${request.target} &rarr; ${headOf(evidence)}</figcaption>
      <ol class="bytes">
        ${lines.map(byteLine)}
        <li class="end"><time>${endMs} ms</time><span>${endWords[end]}</span></li>
      </ol>
    </figure>
    <details>
      <summary>What was sent, and the head of the answer</summary>
      <pre>${curlOf(evidence, url)}</pre>
      <pre>${head.join('\n')}</pre>
    </details>`;
}

function byteLine(line: EvidenceLine): Html {
  if ('left_out' in line) return html`<li class="gap"><time></time><span>… ${line.left_out} more</span></li>`;
  return html`<li class="${line.marked ? 'marked' : ''}"><time>${line.ms} ms</time><span>${line.text}</span></li>`;
}

function clientTable(clients: readonly ClientVerdict[]): Html {
  const rows = clients.filter(({ outcome }) => outcome !== 'not measured');
  const others = clients.filter(({ outcome }) => outcome === 'not measured').map(({ client }) => client);
  return html`${
    rows.length === 0
      ? html`<p>Nobody that is known.</p>`
      : html`<table class="clients">
          <tbody>
            ${rows.map(
              ({ client, does, outcome, source }) =>
                html`<tr>
                  <th scope="row">${client}</th>
                  <td>${outcome === 'stumbles' ? does : outcome}</td>
                  <td class="soft">${source}</td>
                </tr>`,
            )}
          </tbody>
        </table>`
  }
  ${others.length === 0 ? undefined : html`<p class="soft">Not measured: ${others.join(', ')}.</p>`}`;
}
