import type { Clock } from '@turnwire/wire/internal/base/clock';
import { systemClock } from '@turnwire/client/internal/platform/system-clock';
import { runProcess } from '../process/process.ts';
import { bubblewrap } from './bubblewrap.ts';
import { findProgram, trustedFolders } from './paths.ts';
import { noSandbox, type Argv, type Sandbox, type SandboxLevel, type WrapOptions } from './sandbox.ts';
import { openRoots, type Roots } from './roots.ts';
import { Scratch } from './scratch.ts';
import { secretPlaces } from './secret-places.ts';
import { seatbelt } from './seatbelt.ts';
import { createView } from './view.ts';

/** What a sandbox is opened for. */
export interface SandboxOptions {
  /** The working directory. Fails when it does not exist. */
  readonly cwd: string;
  /** Folders that belong to the work beside it; absolute paths. Fails for one that cannot be used. Default: none. */
  readonly additionalDirectories?: readonly string[];
  /** The environment of commands: `PATH` and `HOME` say which programs they need and what is private. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For approved commands. Default: `workspace` where a sandbox works, else `off`. */
  readonly level?: SandboxLevel;
  /** Default: of this process. */
  readonly platform?: NodeJS.Platform;
  /** Default: the real one. */
  readonly clock?: Clock;
}

/** One of the ways in which an operating system walls commands in. */
interface Wall {
  readonly name: string;
  readonly wrap: (argv: Argv, options: WrapOptions) => Argv;
}

/** Longer than the slowest machine needs to start a program. */
const PROBE_TIMEOUT_MS = 5000;

/** Finds the system's sandbox and tries it. Where there is none, the result says so: `works` and `problem`. */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { level = 'workspace' } = options;
  if (level === 'off') return noSandbox();
  const roots = await openRoots({ ...options, secrets: secretPlaces(options.env) });
  if (roots.includes('/')) return noSandbox('a working directory is /, so that nothing would be outside of it');
  const candidates = wallsOf(options, roots);
  if ('problem' in candidates) return noSandbox(candidates.problem);
  let problem = 'it was not tried';
  for (const wall of candidates.walls) {
    const found = await probe(wall, roots[0], options);
    if (found === undefined) return sandboxOf(wall, level);
    problem = found;
  }
  return noSandbox(problem);
}

function sandboxOf(wall: Wall, level: SandboxLevel): Sandbox {
  return {
    level,
    works: true,
    wrap: (argv, options) => (options.level === 'off' ? argv : wall.wrap(argv, options)),
  };
}

/** The best first. */
function wallsOf(
  { platform = process.platform, env }: SandboxOptions,
  roots: Roots,
): { readonly walls: readonly Wall[] } | { readonly problem: string } {
  const scratch = new Scratch();
  const view = createView({ roots, env });
  switch (platform) {
    case 'linux': {
      // Not one that the project brings.
      const program = findProgram('bwrap', trustedFolders(env.PATH, roots));
      if (program === undefined) return { problem: 'bubblewrap (the program bwrap) is not installed' };
      // `--disable-userns` came with bubblewrap 0.8.
      const extras = [['--disable-userns'], []];
      return {
        walls: extras.map((extra) => ({
          name: [program, ...extra].join(' '),
          wrap: (argv, where) => bubblewrap({ program, view, scratch, extra }, argv, where),
        })),
      };
    }
    case 'darwin': {
      const program = '/usr/bin/sandbox-exec';
      return { walls: [{ name: program, wrap: (argv, where) => seatbelt({ program, view, scratch }, argv, where) }] };
    }
    default:
      return { problem: `there is none for ${platform}` };
  }
}

/**
 * Runs nothing in it, with the arguments of real commands: why it does not work, or `undefined` when it does. Once in a
 * process for each search path and home, which decide about the arguments.
 */
async function probe(
  wall: Wall,
  cwd: string,
  { env, clock = systemClock }: SandboxOptions,
): Promise<string | undefined> {
  const key = JSON.stringify([wall.name, env.PATH, env.HOME]);
  const known = probes.get(key) ?? run(wall.wrap(['/bin/sh', '-c', ':'], { level: 'read-only', cwd }), cwd, env, clock);
  probes.set(key, known);
  return known;
}

const probes = new Map<string, Promise<string | undefined>>();

async function run(argv: Argv, cwd: string, env: SandboxOptions['env'], clock: Clock): Promise<string | undefined> {
  const { end, output } = await runProcess({
    argv,
    cwd,
    env,
    timeoutMs: PROBE_TIMEOUT_MS,
    signal: new AbortController().signal,
    clock,
    headBytes: 500,
    tailBytes: 0,
  });
  if (end.type === 'exited' && end.code === 0) return undefined;
  const [program] = argv;
  const said = output.toString().trim().split('\n', 1)[0] ?? '';
  switch (end.type) {
    case 'exited':
      return `${program} does not work here: ${said === '' ? `exit code ${end.code}` : said}`;
    case 'not_started':
      return `${program} cannot be started: ${end.message}`;
    case 'killed':
      return `${program} was ended by ${end.signal}`;
    case 'timeout':
    case 'aborted':
      return `${program} did not start a program within ${PROBE_TIMEOUT_MS} ms`;
  }
}
