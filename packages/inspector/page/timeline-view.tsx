import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { timeText } from './figures.ts';
import { useSize } from './sizes.ts';
import { useColours } from './theme.ts';
import { drawTimeline, gutterOf, indexAt, type View } from './timeline-draw.ts';
import { gapText, longGaps, type Gap, type Timeline } from './timeline.ts';

export interface TimelineViewProps {
  readonly timeline: Timeline;
  /** Milliseconds from the beginning to the end, or to now. */
  readonly span: number;
  readonly open: Gap | undefined;
  /** The time that was picked. */
  readonly at: number | undefined;
  readonly onPick?: (t: number) => void;
  /** What is seen at first. Default: all. */
  readonly name: string;
}

/** A view is never narrower than this, in milliseconds. */
const NARROWEST_MS = 1;

export function TimelineView({ timeline, span, open, at, onPick, name }: TimelineViewProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width } = useSize(canvas);
  const colours = useColours();
  const [zoomed, setZoomed] = useState<View | undefined>(undefined);
  const [hover, setHover] = useState<number | undefined>(undefined);
  const view = zoomed ?? { from: 0, to: span * 1.01 };

  useEffect(() => {
    if (canvas.current !== null && width > 0) drawTimeline(canvas.current, timeline, open, view, at);
  }, [timeline, timeline.last, open?.to, view.from, view.to, at, width, colours]);

  const zoom = (times: number, around = (view.from + view.to) / 2): void => {
    const wide = Math.max(NARROWEST_MS, (view.to - view.from) / times);
    if (wide >= span * 1.01) {
      setZoomed(undefined);
      return;
    }
    const share = (around - view.from) / (view.to - view.from);
    show(around - share * wide, wide);
  };
  const show = (from: number, wide: number): void => {
    const first = Math.min(Math.max(0, from), Math.max(0, span * 1.01 - wide));
    setZoomed({ from: first, to: first + wide });
  };
  const pan = (share: number): void => {
    if (zoomed !== undefined) show(view.from + share * (view.to - view.from), view.to - view.from);
  };
  const timeAt = (event: MouseEvent): number => {
    const { left, width: wide } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const gutter = gutterOf(wide);
    return view.from + ((event.clientX - left - gutter) / (wide - gutter)) * (view.to - view.from);
  };
  useWheel(canvas, (event) => {
    if (event.ctrlKey || event.metaKey) zoom(event.deltaY < 0 ? 1.25 : 0.8, timeAt(event));
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && zoomed !== undefined)
      pan(event.deltaX / (width - gutterOf(width)));
    else return false;
    return true;
  });
  const drag = useDrag(
    (pixels) => pan(-pixels / (width - gutterOf(width))),
    (event) => onPick?.(timeAt(event)),
  );
  const gaps = longGaps(timeline, open);
  return (
    <section class="timeline" aria-label={`Timeline of ${name}`}>
      <div class="tools">
        <span class="readout">{readout(timeline, hover ?? at, view)}</span>
        <button type="button" aria-label="Zoom out" onClick={() => zoom(0.5)} disabled={zoomed === undefined}>
          −
        </button>
        <button type="button" aria-label="Zoom in" onClick={() => zoom(2, at)}>
          +
        </button>
        <button type="button" onClick={() => setZoomed(undefined)} disabled={zoomed === undefined}>
          Whole
        </button>
      </div>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label={summaryOf(timeline, span, gaps)}
        onKeyDown={(event) => {
          const act = keysOf(zoom, pan, () => setZoomed(undefined))[event.key];
          if (act === undefined) return;
          act();
          event.preventDefault();
          event.stopPropagation();
        }}
        {...drag}
        onMouseMove={(event) => setHover(timeAt(event))}
        onMouseLeave={() => setHover(undefined)}
      />
      <ul class="gaps" aria-label="Longest gaps">
        {gaps.map((gap) => (
          <li key={gap.from}>
            <button
              type="button"
              class={`gap ${gap.kind}`}
              onClick={() => {
                show(gap.from - (gap.to - gap.from) * 0.1, (gap.to - gap.from) * 1.2);
                onPick?.(gap.from);
              }}
            >
              {gapText(gap)} <span class="from">from {timeText(gap.from)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function keysOf(
  zoom: (times: number) => void,
  pan: (share: number) => void,
  fit: () => void,
): Readonly<Record<string, () => void>> {
  return {
    '+': () => zoom(2),
    '=': () => zoom(2),
    '-': () => zoom(0.5),
    '0': fit,
    ArrowLeft: () => pan(-0.2),
    ArrowRight: () => pan(0.2),
  };
}

function summaryOf(timeline: Timeline, span: number, gaps: readonly Gap[]): string {
  const { server, events, client } = timeline;
  const parts = [
    `${timeText(span)} in all, ${server.length} chunks from the server, ${events.length} batches of events, ${client.length} writes to the client.`,
    ...gaps.map((gap) => `${gapText(gap)}, from ${timeText(gap.from)}.`),
  ];
  return parts.join(' ');
}

/** What stands above the timeline: what lies under the pointer, else what is seen. */
function readout(timeline: Timeline, at: number | undefined, view: View): string {
  if (at === undefined) return `${timeText(Math.max(0, view.from))} to ${timeText(view.to)}`;
  const chunk = timeline.server[Math.max(0, indexAt(timeline.server, at) - 1)];
  const isNear = chunk !== undefined && chunk.t <= at;
  const last = isNear ? `, last bytes ${timeText(at - chunk.t)} before` : '';
  return `at ${timeText(Math.max(0, at))}${last}`;
}

/** Whether the wheel was taken; what is not scrolls the page. */
function useWheel(ref: { readonly current: HTMLElement | null }, take: (event: WheelEvent) => boolean): void {
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const element = ref.current;
    // A listener that may keep the page from scrolling has to say so.
    const listener = (event: WheelEvent): void => {
      if (latest.current(event)) event.preventDefault();
    };
    element?.addEventListener('wheel', listener, { passive: false });
    return () => element?.removeEventListener('wheel', listener);
  }, []);
}

interface Drag {
  readonly onPointerDown: (event: PointerEvent) => void;
  readonly onPointerMove: (event: PointerEvent) => void;
  readonly onPointerUp: (event: PointerEvent) => void;
}

/** A pointer that moves pans, one that does not picks. */
function useDrag(pan: (pixels: number) => void, pick: (event: PointerEvent) => void): Drag {
  const from = useRef<{ x: number; hasMoved: boolean } | undefined>(undefined);
  return {
    onPointerDown: (event) => {
      from.current = { x: event.clientX, hasMoved: false };
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event) => {
      const start = from.current;
      if (start === undefined || (!start.hasMoved && Math.abs(event.clientX - start.x) < 4)) return;
      pan(event.clientX - start.x);
      from.current = { x: event.clientX, hasMoved: true };
    },
    onPointerUp: (event) => {
      if (from.current?.hasMoved === false) pick(event);
      from.current = undefined;
    },
  };
}
