import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One file of the page, as a server sends it. */
export interface PageFile {
  /** Its name: `index.html`, `app.js` or `app.css`; the page asks for the two others beside its own address. */
  readonly path: string;
  /** Its `content-type`. */
  readonly type: string;
  /** What is in it. */
  readonly bytes: Uint8Array;
}

const types: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
  'app.css': 'text/css; charset=utf-8',
};

/**
 * The files of the inspector's page, read from this package: one page, one script, one style sheet, and nothing that any
 * of them loads from elsewhere.
 *
 * @throws Error in a clone of the repository in which the page was not built; it names the command that builds it
 *
 * @example
 * ```ts
 * const script = pageFiles().find(({ path }) => path === 'app.js');
 * ```
 */
export function pageFiles(): readonly PageFile[] {
  return Object.entries(types).map(([path, type]) => ({ path, type, bytes: readPage(path) }));
}

function readPage(name: string): Uint8Array {
  const file = fileURLToPath(new URL(`../dist/page/${name}`, import.meta.url));
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Error(`The inspector's page is not built: ${file} cannot be read. Run: npm run build:inspector`, {
      cause,
    });
  }
}
