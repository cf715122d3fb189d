import { useEffect, useState } from 'preact/hooks';
import { every } from './clock.ts';

/** Something that changes in place and says so. */
export class Store {
  /** Grows with each change. */
  version = 0;
  readonly #listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    this.version++;
    for (const listener of this.#listeners) listener();
  }
}

/** Draws a component anew whenever the store changes; returns its version, for `useMemo`. */
export function useStore(store: Store): number {
  const [version, setVersion] = useState(store.version);
  useEffect(() => {
    setVersion(store.version);
    return store.subscribe(() => setVersion(store.version));
  }, [store]);
  return version;
}

/** Draws a component anew each so many milliseconds, while `isOn`. */
export function useTick(ms: number, isOn = true): number {
  const [tick, setTick] = useState(0);
  useEffect(() => (isOn ? every(ms, () => setTick((count) => count + 1)) : undefined), [ms, isOn]);
  return tick;
}
