import { useEffect, useState } from 'preact/hooks';

/** `auto` is what the system prefers. */
export type Theme = 'auto' | 'light' | 'dark';

export const themes: readonly Theme[] = ['auto', 'light', 'dark'];

const KEY = 'turnwire-theme';

export function useTheme(): readonly [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(readTheme);
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // A browser that keeps nothing for this page has the preference of the system next time.
    }
  }, [theme]);
  return [theme, setTheme];
}

function readTheme(): Theme {
  try {
    return themes.find((theme) => theme === localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}

/** Grows when the colours change, for what is drawn on a canvas. */
export function useColours(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const next = (): void => setCount((before) => before + 1);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const observer = new MutationObserver(next);
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    dark.addEventListener('change', next);
    return () => {
      observer.disconnect();
      dark.removeEventListener('change', next);
    };
  }, []);
  return count;
}

/** A colour of the style sheet, for a canvas. */
export function colourOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
}
