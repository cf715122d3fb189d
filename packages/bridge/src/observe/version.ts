import { readFileSync } from 'node:fs';

/** Two folders up from here both in the source tree and in `dist`. */
const packageFile = new URL('../../package.json', import.meta.url);

/** The version of this package. */
export const version = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
