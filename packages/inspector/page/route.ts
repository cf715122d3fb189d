import { useEffect, useState } from 'preact/hooks';

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

export function go(route: Partial<Route>): void {
  location.hash = hashOf(route);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(readRoute);
  useEffect(() => {
    const read = (): void => setRoute(readRoute());
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  return route;
}
