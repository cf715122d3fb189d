import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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
 * In a clone of the repository in which the page was not built it is built now, which takes a few seconds.
 *
 * @throws Error where that fails, since the packages of the clone are not installed; it names the command that builds the page
 *
 * @example
 * ```ts
 * const script = pageFiles().find(({ path }) => path === 'app.js');
 * ```
 */
export function pageFiles(): readonly PageFile[] {
  buildInClone();
  return Object.entries(types).map(([path, type]) => ({ path, type, bytes: readPage(path) }));
}

const SCRIPT = fileURLToPath(new URL('../../../scripts/build-inspector.ts', import.meta.url));

/** What is published has the page, and is no TypeScript. Where nothing is built, reading says so. */
function buildInClone(): void {
  if (!import.meta.url.endsWith('.ts') || existsSync(pathOf('index.html')) || !existsSync(SCRIPT)) return;
  spawnSync(process.execPath, [SCRIPT], { stdio: 'ignore' });
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../dist/page/${name}`, import.meta.url));
}

function readPage(name: string): Uint8Array {
  const file = pathOf(name);
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Error(`The inspector's page is not built: ${file} cannot be read. Run: npm run build:inspector`, {
      cause,
    });
  }
}
