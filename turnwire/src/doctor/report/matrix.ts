import { visible } from '@turnwire/wire/internal/base/printable';
import type { DoctorReport, ProbeReport } from '../doctor-report.ts';
import { counted } from '../finding.ts';
import { wireTitles } from '../wires.ts';
import { markOf, outcomes, outcomeWords } from './words.ts';

/** The checks of several servers side by side. */
export interface Matrix {
  readonly servers: readonly Pick<DoctorReport, 'url' | 'model' | 'tally'>[];
  readonly rows: readonly MatrixRow[];
}

/** One check; a server that was not asked has no cell. */
interface MatrixRow {
  readonly title: string;
  readonly cells: readonly (ProbeReport | undefined)[];
}

/** Puts the reports side by side: each check once, in the order of the first report that has it. */
export function matrixOf(reports: readonly DoctorReport[]): Matrix {
  const keys = new Set(reports.flatMap(({ probes }) => probes.map(keyOf)));
  const rows = [...keys].map((key): MatrixRow => ({
    title: key,
    cells: reports.map(({ probes }) => probes.find((probe) => keyOf(probe) === key)),
  }));
  return { servers: reports.map(({ url, model, tally }) => ({ url, model, tally })), rows };
}

function keyOf({ wire, name }: ProbeReport): string {
  return `${wireTitles[wire]}: ${name}`;
}

const NARROW = 9;

/** The same for a terminal: checks that all servers pass are counted, not listed. */
export function formatMatrix(reports: readonly DoctorReport[]): string {
  const { servers, rows } = matrixOf(reports);
  const telling = rows.filter(({ cells }) => cells.some((cell) => cell === undefined || markOf(cell) !== 'ok'));
  const width = Math.max(20, ...telling.map(({ title }) => title.length));
  const heads = servers.map(({ url, model }, n) => `  ${letter(n)}  ${visible(`${url}, model ${model}`)}`);
  const line = (title: string, cells: readonly string[]): string =>
    `${title.padEnd(width)}  ${cells.map((cell) => cell.padEnd(NARROW)).join('')}`.trimEnd();
  const names = telling.flatMap(({ title, cells }) =>
    cells.flatMap((cell, n) => faultsOf(cell).map((name) => `  ${letter(n)}  ${name} (${title})`)),
  );
  return `${[
    ...heads,
    '',
    line(
      '',
      servers.map((_, n) => letter(n)),
    ),
    ...telling.map(({ title, cells }) =>
      line(
        title,
        cells.map((cell) => (cell === undefined ? '' : markOf(cell))),
      ),
    ),
    '',
    ...outcomes.map((outcome) =>
      line(
        outcomeWords[outcome],
        servers.map(({ tally }) => String(tally[outcome])),
      ),
    ),
    '',
    ...(names.length === 0 ? ['No fault.'] : ['Faults', ...names]),
    `${counted(rows.length - telling.length, 'check')} passed everywhere.`,
  ].join('\n')}\n`;
}

function letter(n: number): string {
  return n < 26 ? String.fromCodePoint(65 + n) : String(n + 1);
}

/** Names of what is broken in a cell. */
function faultsOf(cell: ProbeReport | undefined): readonly string[] {
  return cell?.findings.filter(({ level }) => level === 'broken').map(({ quirk }) => quirk) ?? [];
}
