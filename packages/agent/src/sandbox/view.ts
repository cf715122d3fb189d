import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { contains, foldersOf, realOrNothing } from './paths.ts';
import type { Roots } from './roots.ts';
import { homesOf, secretPlaces } from './secret-places.ts';

/** Which part of the file system a command in the sandbox sees. All paths are absolute. */
export interface View {
  /** The folders of the session. */
  readonly roots: Roots;
  /** The person's home folders (of the variable, of the system): empty in the sandbox. */
  readonly homes: readonly string[];
  /** Programs, libraries, settings without secrets: to read. */
  readonly readable: readonly ReadablePlace[];
  /** What may hold secrets: never visible, not even when a folder of the session contains it. Not all of it exists. */
  readonly secrets: readonly string[];
}

/** Something to read, at one path. */
export type ReadablePlace =
  /** `from`: without symbolic links. */
  | { readonly type: 'read'; readonly path: string; readonly from: string }
  /** `/bin` is a link to `usr/bin` in many systems, and stays one. */
  | { readonly type: 'link'; readonly path: string; readonly target: string };

export interface ViewOptions {
  readonly roots: Roots;
  /** The environment of commands. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function createView({ roots, env }: ViewOptions): View {
  const homes = homesOf(env);
  const wanted = [...SYSTEM, ...settings(), ...homes.flatMap(findManagers(env.PATH)), ...toolFolders(env.PATH, homes)];
  // What is on the search path and in the project is writable with the project; but not when that is the home.
  const isOurs = (path: string): boolean =>
    roots.every((root) => !contains(root, path) || homes.some((home) => contains(root, home)));
  return {
    roots,
    homes,
    readable: readablePlaces(wanted).filter((place) => isOurs(place.path)),
    secrets: secretPlaces(env),
  };
}

/**
 * The places at which these paths are shown: where they really are, and, when links lead there, also where they were
 * written. Without those that are visible by another one.
 */
function readablePlaces(paths: readonly string[]): readonly ReadablePlace[] {
  const links = paths.flatMap((path) => topLink(path) ?? []);
  const real = new Set(paths.flatMap((path) => realOrNothing(path) ?? []));
  const roots = [...real].filter((path) => ![...real].some((other) => other !== path && contains(other, path)));
  const shown = [...roots, ...links.map((link) => link.path)];
  const aliases = paths.flatMap((path) => {
    const from = realOrNothing(path);
    return from === undefined || shown.some((root) => contains(root, path))
      ? []
      : { type: 'read' as const, path, from };
  });
  return [...roots.map((path) => ({ type: 'read' as const, path, from: path })), ...links, ...aliases];
}

function topLink(path: string): ReadablePlace | undefined {
  if (dirname(path) !== '/' || lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined;
  return { type: 'link', path, target: readlinkSync(path) };
}

/** Folders of the system with programs and libraries. */
const SYSTEM = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/opt',
  '/nix/store',
  '/nix/var/nix/profiles',
  '/run/current-system/sw',
  '/gnu/store',
  '/home/linuxbrew/.linuxbrew',
];

/**
 * What programs need of `/etc`: the linker, names of users and services, certificates, the time zone, settings of
 * languages. Not the rest: who runs as root may read keys and password hashes there.
 */
const SETTINGS =
  /^(alternatives|alpine-release|bash\.bashrc|ca-certificates|crypto-policies|debian_version|fonts|gai\.conf|gitconfig|group|host\.conf|hosts|inputrc|java.*|ld-musl-.*|ld\.so\..*|locale\..*|localtime|lsb-release|magic.*|mime\.types|nsswitch\.conf|os-release|passwd|perl|profile|profile\.d|protocols|python.*|(fedora|redhat|system)-release|ruby.*|services|shells|static|terminfo|timezone|vulkan)$/;

const DEEPER_SETTINGS = [
  '/etc/pki/ca-trust',
  '/etc/pki/java',
  '/etc/pki/tls/certs',
  '/etc/pki/tls/openssl.cnf',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
];

function settings(): readonly string[] {
  try {
    const names = readdirSync('/etc').filter((name) => SETTINGS.test(name));
    return [...names.map((name) => join('/etc', name)), ...DEEPER_SETTINGS];
  } catch {
    return [];
  }
}

/** Beside a `bin`: what its programs load. Not `etc`, `share`, `var`: there are settings and data of the person. */
const BESIDE_BIN = ['lib', 'lib32', 'lib64', 'libexec', 'include', 'conf', 'jmods', 'pkg'];

/** The folders of the search path, and what their programs need beside them. */
function toolFolders(searchPath: string | undefined, homes: readonly string[]): readonly string[] {
  return foldersOf(searchPath).flatMap((folder) => {
    // `PATH` may name the home itself, or `/`: that would show everything.
    if (folder === '/' || homes.some((home) => contains(folder, home))) return [];
    const prefix = dirname(folder);
    if (basename(folder) === '.bin') return [prefix]; // `node_modules/.bin` has links into `node_modules`.
    if (!/^s?bin$/.test(basename(folder))) return [folder];
    return [folder, ...BESIDE_BIN.map((name) => join(prefix, name))];
  });
}

/** Version managers, whose programs on the search path only find the real ones: where these are, below the home. */
const MANAGERS: readonly (readonly [onPath: string, needs: readonly string[]])[] = [
  ['.asdf', ['.asdf']],
  ['.bun', ['.bun/bin', '.bun/install/global']],
  ['.cargo/bin', ['.rustup', '.cargo/registry']],
  ['.local/bin', ['.local/pipx/venvs', '.local/share/pipx/venvs', '.local/share/uv/python', '.local/share/uv/tools']],
  ['.local/share/mise', ['.local/share/mise/installs', '.local/share/mise/shims']],
  ['.nodenv', ['.nodenv']],
  ['.pyenv', ['.pyenv']],
  ['.rbenv', ['.rbenv']],
  ['.sdkman/candidates', ['.sdkman/candidates']],
  ['.volta', ['.volta/bin', '.volta/tools']],
  ['go/bin', ['go/pkg/mod']],
];

function findManagers(searchPath: string | undefined): (home: string) => readonly string[] {
  const folders = foldersOf(searchPath);
  return (home) =>
    MANAGERS.flatMap(([onPath, needs]) =>
      folders.some((folder) => contains(join(home, onPath), folder)) ? needs.map((path) => join(home, path)) : [],
    );
}

/** The folders that a command works in: those of the session, and where it runs when that lies outside. */
export function placesOf(view: View, cwd: string): readonly string[] {
  const { roots } = view;
  return cwd === '/' || roots.some((root) => contains(root, cwd)) ? roots : [...roots, cwd];
}

/** The secrets that a visible folder would show: real paths. None of those that contain the folder itself. */
export function secretsBelow(view: View, folders: readonly string[]): readonly string[] {
  const real = view.secrets.flatMap((path) => realOrNothing(path) ?? []);
  return [...new Set(real)].filter((path) =>
    folders.some((folder) => contains(folder, path) && !contains(path, folder)),
  );
}
