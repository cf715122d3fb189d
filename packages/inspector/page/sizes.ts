import { useLayoutEffect, useState } from 'preact/hooks';
import type { RefObject } from 'preact';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size of an element, in CSS pixels, as it changes. */
export function useSize(ref: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    const read = (): void => {
      const { clientWidth: width, clientHeight: height } = element;
      setSize((before) => (before.width === width && before.height === height ? before : { width, height }));
    };
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return size;
}

/** True while the page is at least that wide, in CSS pixels. */
export function useIsWide(least: number): boolean {
  const [isWide, setIsWide] = useState(() => matchMedia(`(min-width: ${least}px)`).matches);
  useLayoutEffect(() => {
    const query = matchMedia(`(min-width: ${least}px)`);
    const read = (): void => setIsWide(query.matches);
    read();
    query.addEventListener('change', read);
    return () => query.removeEventListener('change', read);
  }, [least]);
  return isWide;
}
