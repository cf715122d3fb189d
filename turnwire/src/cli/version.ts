import { readFileSync } from 'node:fs';

const packageFile = new URL('../../package.json', import.meta.url);

/** The version in package.json, two folders up from here both in the source tree and in `dist`. */
export const version = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
