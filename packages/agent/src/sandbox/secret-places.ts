import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { realOrNothing } from './paths.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where programs keep keys, tokens and passwords below the home, and what decides about this program itself. */
const SECRETS = [
  '.aws',
  '.azure',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.claude',
  '.codex',
  '.config/gcloud',
  '.config/gh',
  '.config/git/credentials',
  '.config/turnwire',
  '.docker',
  '.gem/credentials',
  '.git-credentials',
  '.gnupg',
  '.kube',
  '.local/share/keyrings',
  '.local/state/turnwire',
  '.m2/settings.xml',
  '.mozilla',
  '.netrc',
  '.npmrc',
  '.password-store',
  '.pgpass',
  '.pypirc',
  '.ssh',
  '.terraform.d',
  '.vault-token',
];

/** The person's home folders: of the system, and of the variable. */
export function homesOf(env: Environment): readonly string[] {
  return [...new Set([systemHome(), env.HOME ?? ''])].filter(
    (home) => isAbsolute(home) && home !== '/' && realOrNothing(home) !== undefined,
  );
}

/** What the system says, whatever `HOME` is; nothing for a user that it does not know (as in some containers). */
function systemHome(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '';
  }
}

/** Below all homes, absolute. Not all of it exists. */
export function secretPlaces(env: Environment): readonly string[] {
  const own = [env.XDG_CONFIG_HOME, env.XDG_STATE_HOME].flatMap((folder) =>
    folder !== undefined && isAbsolute(folder) ? [join(folder, 'turnwire')] : [],
  );
  return [...homesOf(env).flatMap((home) => SECRETS.map((path) => join(home, path))), ...own];
}
