import { join } from 'node:path';
import type { Argv, WrapOptions } from './sandbox.ts';
import { realOrNothing } from './paths.ts';
import type { Scratch } from './scratch.ts';
import { placesOf, secretsBelow, type View } from './view.ts';

export interface SeatbeltOptions {
  /** The program `sandbox-exec`. */
  readonly program: string;
  readonly view: View;
  readonly scratch: Scratch;
}

/** The command line of macOS' `sandbox-exec` for a level that is not `off`. */
export function seatbelt(options: SeatbeltOptions, argv: Argv, where: WrapOptions): Argv {
  const { program, scratch } = options;
  return [program, '-p', seatbeltProfile(options, where), '/usr/bin/env', `TMPDIR=${scratch.folder}`, ...argv];
}

/** Folders that programs of macOS need, beside those that all systems have. */
const SYSTEM = [
  '/System',
  '/Library/Apple',
  '/Library/Developer',
  '/Applications/Xcode.app',
  '/private/var/db/timezone',
];

/**
 * The profile, in the language of `sandbox-exec`: everything is denied that no rule allows, and of the rules that fit
 * the last one counts. Nothing allows the network.
 */
export function seatbeltProfile(
  { view, scratch }: Omit<SeatbeltOptions, 'program'>,
  { level, cwd }: WrapOptions,
): string {
  const places = placesOf(view, cwd);
  const readable = [...SYSTEM, ...view.readable.map((place) => place.path), ...places, scratch.folder];
  const writable = level === 'workspace' ? [...places, scratch.folder] : [];
  const repositories = places.flatMap((folder) => realOrNothing(join(folder, '.git')) ?? []);
  const secrets = secretsBelow(view, places);
  return [
    '(version 1)',
    '(deny default)',
    '(import "system.sb")',
    '(allow process-exec process-fork)',
    '(allow signal process-info* (target same-sandbox))',
    '(allow sysctl-read)',
    '(allow file-read-metadata)',
    '(allow file-read* (literal "/"))',
    ...rule('allow file-read*', readable),
    '(allow file-write-data (literal "/dev/null") (literal "/dev/zero"))',
    ...rule('allow file-write*', writable),
    ...rule('deny file-write*', writable.length === 0 ? [] : repositories),
    ...rule('deny file-read* file-write*', secrets),
  ].join('\n');
}

function rule(action: string, folders: readonly string[]): readonly string[] {
  if (folders.length === 0) return [];
  return [`(${action}\n${folders.map((folder) => `  (subpath ${quoted(folder)})`).join('\n')})`];
}

/** A string of the profile's language: a path must not be able to end it. */
function quoted(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
