import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder for the whole run: what helpers keep in it is removed at the end of the run, whichever file used it last.
 * Node keeps there what it compiled of turnwire, for the processes that tests start.
 */
export default function prepareRun(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'turnwire-run-'));
  process.env.TURNWIRE_RUN_FOLDER = folder;
  process.env.NODE_COMPILE_CACHE ??= join(folder, 'compiled');
  return () => rmSync(folder, { recursive: true, force: true });
}
