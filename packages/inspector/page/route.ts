import { useLayoutEffect, useState } from 'preact/hooks';

/** What is open; it stands in the page's address behind `#`, so that a reload and the browser's back button know it. */
export interface Route {
  /** The exchange that is open. */
  readonly id?: string;
  /** The one that it is compared with. */
  readonly other?: string;
  readonly isPlots: boolean;
}

function readRoute(): Route {
  const params = new URLSearchParams(location.hash.slice(1));
  const [id, other] = [params.get('exchange') ?? '', params.get('with') ?? ''];
  return { ...(id === '' ? {} : { id }), ...(other === '' ? {} : { other }), isPlots: params.has('plots') };
}

export function hashOf({ id, other, isPlots }: Partial<Route>): string {
  if (isPlots === true) return '#plots';
  if (id === undefined) return '#';
  return `#${new URLSearchParams({ exchange: id, ...(other === undefined ? {} : { with: other }) }).toString()}`;
}

const readers = new Set<() => void>();

/** The browser tells of a new address a task later, which is after the next key of a fast hand. */
export function go(route: Partial<Route>): void {
  location.hash = hashOf(route);
  for (const read of readers) read();
}

export function useRoute(): Route {
  const [route, setRoute] = useState(readRoute);
  useLayoutEffect(() => {
    const read = (): void => {
      const now = readRoute();
      setRoute((before) => (hashOf(before) === hashOf(now) ? before : now));
    };
    readers.add(read);
    addEventListener('hashchange', read);
    return () => {
      readers.delete(read);
      removeEventListener('hashchange', read);
    };
  }, []);
  return route;
}
