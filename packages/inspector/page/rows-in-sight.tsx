import { Fragment, type ComponentChildren, type JSX, type RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useSize } from './sizes.ts';

export interface RowsInSightProps {
  /** The element that scrolls. */
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly count: number;
  /** Of each row, in CSS pixels. */
  readonly height: number;
  /** Brings this row in sight when it changes. */
  readonly target?: number | undefined;
  readonly role?: 'rowgroup';
  readonly children: (index: number) => ComponentChildren;
}

/** Rows beyond the sight, above and below; the window moves in steps of half of it. */
const BEYOND = 8;

/** Rows of one height, of which only those in sight are in the document. */
export function RowsInSight({ scroller, count, height, target, role, children }: RowsInSightProps): JSX.Element {
  const [first, setFirst] = useState(0);
  const { height: sight } = useSize(scroller);
  const space = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const read = (): void => {
      const top = Math.floor((element.scrollTop - (space.current?.offsetTop ?? 0)) / height);
      setFirst(Math.max(0, Math.floor((top - BEYOND) / (BEYOND / 2)) * (BEYOND / 2)));
    };
    read();
    element.addEventListener('scroll', read, { passive: true });
    return () => element.removeEventListener('scroll', read);
  }, [scroller, height, count]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || target === undefined || target < 0) return;
    const top = target * height;
    const bottom = top + height + (space.current?.offsetTop ?? 0);
    // What stands above the rows stays in place, and covers as much as it moves them down.
    if (top < element.scrollTop) element.scrollTop = top;
    else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
  }, [scroller, target, height]);

  const most = Math.ceil(sight / height) + 2 * BEYOND + BEYOND / 2;
  const last = Math.min(count, first + most);
  const rows: ComponentChildren[] = [];
  // A row that leaves the sight is written anew as one that comes: that costs less than to make one.
  for (let index = Math.min(first, last); index < last; index++) {
    rows.push(<Fragment key={index % most}>{children(index)}</Fragment>);
  }
  return (
    <div
      class="space"
      role={role === undefined ? undefined : 'presentation'}
      ref={space}
      style={{ height: `${count * height}px` }}
    >
      <div class="in-sight" role={role} style={{ transform: `translateY(${Math.min(first, last) * height}px)` }}>
        {rows}
      </div>
    </div>
  );
}
