import { visible } from '@turnwire/wire/internal/base/printable';
import { timeText } from './figures.ts';
import { placeMarks } from './marks.ts';
import { gapText, type Amount, type Gap, type Mark, type Timeline } from './timeline.ts';
import { colourOf } from './theme.ts';

/** The part of the time that is seen, in milliseconds since the exchange began. */
export interface View {
  readonly from: number;
  readonly to: number;
}

interface Lane {
  readonly title: string;
  readonly top: number;
  readonly height: number;
  readonly colour: string;
  readonly amountsOf: (timeline: Timeline) => readonly Amount[];
}

/** CSS pixels. */
const MARKS_PX = 46;
const AXIS_PX = 24;
const lanes: readonly Lane[] = [
  { title: 'Bytes from the server', top: 50, height: 40, colour: 'server', amountsOf: ({ server }) => server },
  { title: 'Events', top: 96, height: 32, colour: 'events', amountsOf: ({ events }) => events },
  { title: 'Bytes to the client', top: 134, height: 32, colour: 'client', amountsOf: ({ client }) => client },
];
/** Where the repairs stand. */
const HEALED_PX = 172;
export const TIMELINE_PX = 216;

const FONT = '12px system-ui, sans-serif';
/** A gap is shown from this width on, and has its words from a second. */
const GAP_PX = 5;

/** The lanes have their names to the left of them where there is room, else within. */
export function gutterOf(width: number): number {
  return width < 600 ? 0 : 144;
}

interface Drawing {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  /** Where the time begins. */
  readonly gutter: number;
  readonly view: View;
  readonly x: (t: number) => number;
}

/** Draws the timeline; work grows with what is in sight. */
export function drawTimeline(
  canvas: HTMLCanvasElement,
  timeline: Timeline,
  open: Gap | undefined,
  view: View,
  at: number | undefined,
): void {
  const context = canvas.getContext('2d');
  const width = canvas.clientWidth;
  if (context === null || width === 0) return;
  const scale = devicePixelRatio;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(TIMELINE_PX * scale);
  context.scale(scale, scale);
  context.font = FONT;
  const gutter = gutterOf(width);
  const x = (t: number): number => gutter + ((t - view.from) / (view.to - view.from)) * (width - gutter);
  const drawing = { context, width, gutter, view, x };
  drawAxis(drawing);
  for (const gap of inSight(timeline.gaps, view)) drawGap(drawing, gap);
  if (open !== undefined && open.to >= view.from) drawGap(drawing, open);
  for (const lane of lanes) drawLane(drawing, lane, lane.amountsOf(timeline));
  drawHealed(drawing, timeline.healed);
  drawMarks(drawing, timeline.marks);
  if (at !== undefined) drawCursor(drawing, at);
}

function inSight(gaps: readonly Gap[], { from, to }: View): readonly Gap[] {
  return gaps.filter((gap) => gap.to >= from && gap.from <= to);
}

/** Steps of 1, 2 or 5, about every 90 pixels. */
function drawAxis({ context, width, gutter, view, x }: Drawing): void {
  const rough = ((view.to - view.from) * 90) / (width - gutter);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough) ?? rough;
  context.strokeStyle = colourOf('line');
  context.fillStyle = colourOf('muted');
  context.lineWidth = 1;
  for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
    const left = Math.round(x(t)) + 0.5;
    context.beginPath();
    context.moveTo(left, MARKS_PX);
    context.lineTo(left, TIMELINE_PX - AXIS_PX);
    context.stroke();
    const text = axisText(t, step);
    const place = Math.min(
      Math.max(left - context.measureText(text).width / 2, 2),
      width - context.measureText(text).width - 2,
    );
    context.fillText(text, place, TIMELINE_PX - 8);
  }
}

/** As short as the step allows: `0.5 s`, `12 s`, `1:20`. */
function axisText(t: number, step: number): string {
  if (t < step / 2) return '0';
  if (t >= 60_000 && step >= 1000)
    return `${Math.floor(t / 60_000)}:${String(Math.round((t % 60_000) / 1000)).padStart(2, '0')}`;
  if (step < 1) return `${t.toFixed(Math.min(3, Math.ceil(-Math.log10(step))))} ms`;
  return step < 100 ? `${Math.round(t)} ms` : `${Number((t / 1000).toFixed(1))} s`;
}

function drawGap({ context, width, gutter, x }: Drawing, gap: Gap): void {
  const left = Math.max(gutter, x(gap.from));
  const right = Math.min(width, x(gap.to));
  if (right - left < GAP_PX) return;
  const colour = colourOf(`gap-${gap.kind}`);
  const bottom = TIMELINE_PX - AXIS_PX;
  context.save();
  context.beginPath();
  context.rect(left, MARKS_PX, right - left, bottom - MARKS_PX);
  context.clip();
  context.globalAlpha = 0.14;
  context.fillStyle = colour;
  context.fill();
  context.globalAlpha = 0.3;
  context.strokeStyle = colour;
  context.beginPath();
  for (let at = left - (bottom - MARKS_PX); at < right; at += 10) {
    context.moveTo(at, bottom);
    context.lineTo(at + bottom - MARKS_PX, MARKS_PX);
  }
  context.stroke();
  context.restore();
  if (gap.to - gap.from < 1000 && right - left < 120) return;
  labelGap(context, gap, left, right, colour);
}

/** The words of a gap on a plate in its middle; what is too narrow for the whole has its length alone. */
function labelGap(context: CanvasRenderingContext2D, gap: Gap, left: number, right: number, colour: string): void {
  const texts = [gapText(gap), timeText(gap.to - gap.from)];
  const text = texts.find((each) => context.measureText(each).width + 20 <= right - left);
  if (text === undefined) return;
  const width = context.measureText(text).width + 16;
  const middle = (left + right) / 2;
  const top = 101;
  context.fillStyle = colourOf('surface');
  context.strokeStyle = colour;
  context.beginPath();
  context.roundRect(middle - width / 2, top, width, 22, 11);
  context.fill();
  context.stroke();
  context.fillStyle = colour;
  context.fillText(text, middle - width / 2 + 8, top + 15);
}

/** One bar for each pixel that has something, as high as the logarithm of how much. */
function drawLane({ context, width, gutter, view, x }: Drawing, lane: Lane, amounts: readonly Amount[]): void {
  const bottom = lane.top + lane.height;
  context.fillStyle = colourOf('line');
  context.fillRect(0, bottom, width, 1);
  context.fillStyle = colourOf(lane.colour);
  for (let at = indexAt(amounts, view.from); at < amounts.length;) {
    const left = Math.round(x(amounts[at]?.t ?? 0));
    if (left > width) break;
    let sum = 0;
    do sum += amounts[at++]?.amount ?? 0;
    while (at < amounts.length && Math.round(x(amounts[at]?.t ?? 0)) === left);
    const height = Math.min(lane.height - (gutter === 0 ? 12 : 4), 4 + Math.log2(1 + sum) * 2.4);
    context.fillRect(left - 0.75, bottom - height, 1.5, height);
  }
  drawText(context, lane.title, 4, gutter === 0 ? lane.top + 8 : bottom - 4, colourOf('muted'));
}

/** Index of the first amount at or behind a time. */
export function indexAt(amounts: readonly { readonly t: number }[], t: number): number {
  let low = 0;
  let high = amounts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((amounts[middle]?.t ?? 0) < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Flags in three lines; words without a place are left out, their line stays. */
function drawMarks({ context, width, gutter, x }: Drawing, marks: readonly Mark[]): void {
  const shown = marks
    .map(({ t, text, isBad }) => ({ at: Math.round(x(t)) + 0.5, words: visible(text), isBad }))
    .filter(({ at }) => at >= gutter - 1 && at <= width + 1);
  const sized = shown.map(({ at, words }) => ({ at, wide: context.measureText(words).width }));
  const places = placeMarks(sized, { width, rows: 3 });
  shown.forEach(({ at, words, isBad }, index) => {
    const place = places[index];
    const colour = colourOf(isBad ? 'bad' : 'muted');
    context.strokeStyle = colour;
    context.globalAlpha = isBad ? 1 : 0.55;
    context.beginPath();
    context.moveTo(at, place === undefined ? MARKS_PX : place.row * 15 + 2);
    context.lineTo(at, TIMELINE_PX - AXIS_PX);
    context.stroke();
    context.globalAlpha = 1;
    if (place !== undefined) drawText(context, words, place.left, place.row * 15 + 12, colour);
  });
}

/** A diamond for each repair, with its name where there is room for it. */
function drawHealed({ context, width, gutter, x }: Drawing, healed: readonly Mark[]): void {
  const colour = colourOf('repair');
  if (healed.length > 0) drawText(context, 'Healed', 4, HEALED_PX + 8, colourOf('muted'));
  let end = Math.max(gutter, 52);
  for (const { t, text } of healed) {
    const left = x(t);
    if (left < gutter - 1 || left > width + 5) continue;
    context.fillStyle = colour;
    context.beginPath();
    for (const [dx, dy] of [
      [0, -5],
      [5, 0],
      [0, 5],
      [-5, 0],
    ] as const)
      context.lineTo(left + dx, HEALED_PX + 4 + dy);
    context.fill();
    const words = visible(text);
    const wide = context.measureText(words).width;
    const place = left + 9 + wide > width ? left - 9 - wide : Math.max(left + 9, end);
    if (place < end || place > left + 60) continue;
    drawText(context, words, place, HEALED_PX + 8, colour);
    end = place + wide + 12;
  }
}

/** Words that can be read over whatever lies below. */
function drawText(
  context: CanvasRenderingContext2D,
  text: string,
  left: number,
  baseline: number,
  colour: string,
): void {
  context.lineWidth = 4;
  context.lineJoin = 'round';
  context.strokeStyle = colourOf('surface');
  context.strokeText(text, left, baseline);
  context.lineWidth = 1;
  context.fillStyle = colour;
  context.fillText(text, left, baseline);
}

function drawCursor({ context, x }: Drawing, at: number): void {
  context.strokeStyle = colourOf('accent');
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x(at), MARKS_PX - 4);
  context.lineTo(x(at), TIMELINE_PX - AXIS_PX);
  context.stroke();
}
