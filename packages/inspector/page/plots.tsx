import type { ExchangeRow } from '@turnwire/bridge/internal/inspect/api';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { clockText, isWaiting, rateText, timeText } from './figures.ts';
import {
  alignedData,
  firstEvent,
  groupRows,
  quantile,
  rate,
  type By,
  type Measure,
  type PlotGroup,
} from './plot-data.ts';
import { useSize } from './sizes.ts';
import { colourOf, useColours } from './theme.ts';

export interface PlotsProps {
  /** Oldest first. */
  readonly rows: readonly ExchangeRow[];
  readonly now: number;
  readonly onClose: () => void;
}

const PLOT_PX = 240;

export function Plots({ rows, now, onClose }: PlotsProps): JSX.Element {
  const [by, setBy] = useState<By>('model');
  const groups = useMemo(() => groupRows(rows, by), [rows, by]);
  return (
    <main class="plots" id="detail" tabIndex={-1} aria-label="Plots">
      <header class="line">
        <button type="button" class="back" onClick={onClose} aria-label="Back to the list">
          ←
        </button>
        <h2>Plots</h2>
        <div class="segments" role="group" aria-label="One colour for each">
          <button type="button" aria-pressed={by === 'model'} onClick={() => setBy('model')}>
            By model
          </button>
          <button type="button" aria-pressed={by === 'upstream'} onClick={() => setBy('upstream')}>
            By server
          </button>
        </div>
      </header>
      {groups.length === 0 ? (
        <p class="empty">No exchange has reached a server yet.</p>
      ) : (
        <>
          <Summary groups={groups} by={by} now={now} />
          <Plot measure={firstEvent} groups={groups} />
          <Plot measure={rate} groups={groups} />
          <Repairs groups={by === 'upstream' ? groups : groupRows(rows, 'upstream')} />
        </>
      )}
    </main>
  );
}

/** The same in numbers: for who cannot see a plot, and for who wants to know exactly. */
function Summary({
  groups,
  by,
  now,
}: {
  readonly groups: readonly PlotGroup[];
  readonly by: By;
  readonly now: number;
}): JSX.Element {
  return (
    <div class="scrolls" tabIndex={0} role="region" aria-label="In numbers">
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">{by === 'model' ? 'Model' : 'Server'}</th>
            <th scope="col">Exchanges</th>
            <th scope="col">Waiting</th>
            <th scope="col">Failed</th>
            <th scope="col">Server’s first event, median</th>
            <th scope="col">9 of 10 within</th>
            <th scope="col">Tokens/s, median</th>
            <th scope="col">Healed</th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ name, label, rows, repairCount }, at) => (
            <tr key={name}>
              <th scope="row">
                <span class={`swatch of-${at}`} aria-hidden="true" />
                {label}
              </th>
              <td>{rows.length}</td>
              <td>{rows.filter((row) => isWaiting(row, now)).length}</td>
              <td>{rows.filter(({ state }) => state === 'failed').length}</td>
              <td>{secondsText(quantile(rows, firstEvent, 0.5))}</td>
              <td>{secondsText(quantile(rows, firstEvent, 0.9))}</td>
              <td>{rateOrWhyNot(rows)}</td>
              <td>{repairCount}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function secondsText(seconds: number | undefined): string {
  return seconds === undefined ? '–' : timeText(seconds * 1000);
}

function rateOrWhyNot(rows: readonly ExchangeRow[]): string {
  const median = quantile(rows, rate, 0.5);
  if (median !== undefined) return rateText(median);
  return rows.some(({ firstEventAt }) => firstEventAt !== undefined) ? 'too short to tell' : '–';
}

function Plot({ measure, groups }: { readonly measure: Measure; readonly groups: readonly PlotGroup[] }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const { width } = useSize(box);
  const colours = useColours();
  const names = groups.map(({ name }) => name).join('\n');
  const data = useMemo(() => alignedData(groups, measure), [groups, measure]);
  const isEmpty = data[0].length === 0;
  useEffect(() => {
    if (box.current === null || width === 0 || isEmpty) return undefined;
    const made = new uPlot(plotOptions(measure, groups, width), data, box.current);
    plot.current = made;
    return () => made.destroy();
  }, [measure, names, width, colours, isEmpty]);
  useEffect(() => plot.current?.setData(data), [data]);
  return (
    <figure class="plot">
      <figcaption>{measure.title}</figcaption>
      {isEmpty && <p class="empty">{measure.none}</p>}
      <div ref={box} role="img" aria-label={`${measure.title}, over time; the table above has it in numbers`} />
    </figure>
  );
}

function plotOptions({ unit }: Measure, groups: readonly PlotGroup[], width: number): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: colourOf('muted'),
    grid: { stroke: colourOf('line'), width: 1 },
    ticks: { stroke: colourOf('line'), width: 1 },
    font: '12px system-ui',
  };
  return {
    width,
    height: PLOT_PX,
    scales: { y: { range: (_, _min, max) => [0, Math.max(max * 1.1, 0.001)] } },
    axes: [
      { ...axis, space: 96, values: (_, times) => times.map((time) => clockText(time * 1000)) },
      { ...axis, size: 64, values: (_, values) => values.map((value) => `${value} ${unit === 's' ? 's' : ''}`) },
    ],
    series: [
      { label: 'At', value: '{HH}:{mm}:{ss}' },
      ...groups.map(({ label }, at) => ({
        label,
        stroke: colourOf(`series-${at}`),
        paths: () => null,
        points: { show: true, size: 6, fill: colourOf(`series-${at}`) },
        value: (_: uPlot, value: number | null) =>
          value === null ? '–' : `${Math.round(value * 1000) / 1000} ${unit}`,
      })),
    ],
  };
}

function Repairs({ groups }: { readonly groups: readonly PlotGroup[] }): JSX.Element {
  const most = Math.max(1, ...groups.map(({ repairCount }) => repairCount));
  return (
    <figure class="plot repairs">
      <figcaption>Healed faults of each server</figcaption>
      <ul>
        {groups.map(({ name, label, repairs, repairCount, rows }) => (
          <li key={name}>
            <span class="name">{label}</span>
            <span class="bar">
              {repairs.map(([repair, count], at) => (
                <span
                  key={repair}
                  class={`part of-${at % 8}`}
                  style={{ width: `${(count / most) * 100}%` }}
                  title={`${visible(repair)}: ${count}`}
                />
              ))}
            </span>
            <span class="words">
              {repairCount === 0
                ? `nothing in ${rows.length} ${rows.length === 1 ? 'exchange' : 'exchanges'}`
                : repairs.map(([repair, count]) => `${visible(repair)} ${count}`).join(', ')}
            </span>
          </li>
        ))}
      </ul>
    </figure>
  );
}
