import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Argv, WrapOptions } from './sandbox.ts';
import { contains, realOrNothing } from './paths.ts';
import type { Scratch } from './scratch.ts';
import { placesOf, secretsBelow, type ReadablePlace, type View } from './view.ts';

/** One place of the sandbox' file system. */
type Mount =
  | ReadablePlace
  | { readonly type: 'write'; readonly path: string; readonly from: string }
  | { readonly type: 'empty' | 'proc' | 'dev'; readonly path: string };

/**
 * Namespaces of its own for everything (the network's has only a loopback, which reaches nothing of the host), no
 * capabilities, and an end with its parent.
 *
 * Not `--new-session`, which keeps a command from typing into the terminal (CVE-2017-5226): `runProcess` starts a session
 * without one. And `--die-with-parent` holds only when all mounts are made: up to then the first process of the new
 * namespace ends with our process group, which a session of its own would take it out of.
 */
const WALLS = [
  '--unshare-user',
  '--unshare-ipc',
  '--unshare-pid',
  '--unshare-net',
  '--unshare-uts',
  '--unshare-cgroup-try',
  '--cap-drop',
  'ALL',
  '--die-with-parent',
];

export interface BubblewrapOptions {
  /** The program `bwrap`. */
  readonly program: string;
  readonly view: View;
  readonly scratch: Scratch;
  /** Further walls, which not every version of `bwrap` knows. */
  readonly extra: readonly string[];
}

/** The command line of `bwrap` for a level that is not `off`. */
export function bubblewrap(options: BubblewrapOptions, argv: Argv, { level, cwd }: WrapOptions): Argv {
  const { program, view, extra } = options;
  const places = placesOf(view, cwd);
  const writes = level === 'workspace';
  const isHidden = (home: string): boolean => !places.some((place) => contains(place, home));
  const mounts = mountsOf(options, places, writes, isHidden).flatMap(argumentsOf);
  // The folders in which the places above lie, and the empty home.
  const closed = writes ? ['/'] : [...view.homes.filter(isHidden), '/'];
  return [
    program,
    ...WALLS,
    ...extra,
    ...mounts,
    ...closed.flatMap((path) => ['--remount-ro', path]),
    '--setenv',
    'TMPDIR',
    '/tmp',
    '--chdir',
    cwd,
    '--',
    ...argv,
  ];
}

function mountsOf(
  { view, scratch }: BubblewrapOptions,
  places: readonly string[],
  writes: boolean,
  isHidden: (home: string) => boolean,
): readonly Mount[] {
  const mounts: Mount[] = [
    { type: 'proc', path: '/proc' },
    { type: 'dev', path: '/dev' },
    writes ? { type: 'write', path: '/tmp', from: scratch.folder } : { type: 'empty', path: '/tmp' },
    ...view.homes.filter(isHidden).map((path) => ({ type: 'empty', path }) as const),
    ...view.readable,
    ...places.map((path) => ({ type: writes ? 'write' : 'read', path, from: path }) as const),
    ...(writes ? places.flatMap(repositoryOf) : []),
    ...secretsBelow(view, places).map(hidden),
  ];
  return inOrder(mounts);
}

/** What contains another place comes before it; of two at one path the later counts. */
function inOrder(mounts: readonly Mount[]): readonly Mount[] {
  const byPath = new Map(mounts.map((mount) => [mount.path, mount]));
  return [...byPath.values()].sort((a, b) => (`${a.path}/` < `${b.path}/` ? -1 : 1));
}

/** Hooks and settings of git are commands that the person's next git would run. */
function repositoryOf(folder: string): readonly Mount[] {
  const path = realOrNothing(join(folder, '.git'));
  return path !== undefined && contains(folder, path) ? [{ type: 'read', path, from: path }] : [];
}

function hidden(path: string): Mount {
  const isFolder = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? { type: 'empty', path } : { type: 'read', path, from: '/dev/null' };
}

function argumentsOf(mount: Mount): readonly string[] {
  switch (mount.type) {
    case 'read':
      return ['--ro-bind-try', mount.from, mount.path];
    case 'write':
      return ['--bind', mount.from, mount.path];
    case 'link':
      return ['--symlink', mount.target, mount.path];
    case 'empty':
      return ['--tmpfs', mount.path];
    case 'proc':
      return ['--proc', mount.path];
    case 'dev':
      return ['--dev', mount.path];
  }
}
