import { useLayoutEffect, useRef } from 'preact/hooks';
import type { RefObject } from 'preact';

/** CSS pixels from the end that still count as the end. */
const NEAR = 24;

/** What scrolls stays at its end while it grows, if a person has scrolled it there. */
export function useStay(): { readonly ref: RefObject<HTMLElement | null>; readonly onScroll: () => void } {
  const ref = useRef<HTMLElement>(null);
  const isAtEnd = useRef(false);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element !== null && isAtEnd.current) element.scrollTop = element.scrollHeight;
  });
  return {
    ref,
    onScroll: () => {
      const element = ref.current;
      if (element === null) return;
      const { scrollTop, scrollHeight, clientHeight } = element;
      isAtEnd.current = scrollTop > 0 && scrollHeight - scrollTop - clientHeight < NEAR;
    },
  };
}
