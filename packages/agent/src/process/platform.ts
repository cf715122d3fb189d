import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { win32 } from 'node:path';

type Argv = readonly [string, ...string[]];

/** What operating systems do each in their own way when a command is run and ended. */
export interface ProcessPlatform {
  /** A shell that reads this line. */
  readonly shellArgv: (line: string) => Argv;
  /** Its shell is one of POSIX: what was judged as such a line means the same to it. */
  readonly isPosix: boolean;
  /** How a program is started, so that all that it starts can be ended with it. */
  readonly spawnOptions: { readonly detached: boolean; readonly windowsHide: boolean };
  /** Ends a program with all that it started; what is gone already is no failure. */
  readonly endTree: (program: StartedProgram, signal: 'SIGTERM' | 'SIGKILL') => void;
}

export interface StartedProgram {
  readonly pid: number;
  /** Programs that it started may still run. */
  readonly hasEnded: boolean;
}

/** What a platform is made from, for tests on another one. */
export interface PlatformParts {
  readonly exists?: (path: string) => boolean;
  readonly kill?: (pid: number, signal: NodeJS.Signals) => void;
  readonly run?: (argv: Argv) => void;
  /** Where Windows is. Default: where it nearly always is. */
  readonly systemRoot?: string;
}

export function processPlatform(
  platform: NodeJS.Platform = process.platform,
  parts: PlatformParts = {},
): ProcessPlatform {
  return platform === 'win32' ? windows(parts) : posix(parts);
}

function posix({
  exists = existsSync,
  kill = (pid, signal) => process.kill(pid, signal),
}: PlatformParts): ProcessPlatform {
  const shell = ['/bin/bash', '/usr/bin/bash'].find(exists) ?? '/bin/sh';
  return {
    shellArgv: (line) => [shell, '-c', line],
    isPosix: true,
    // The leader of a process group of its own.
    spawnOptions: { detached: true, windowsHide: false },
    endTree({ pid }, signal) {
      try {
        kill(-pid, signal);
      } catch {
        // ESRCH: nothing of the group is left.
      }
    },
  };
}

/**
 * Windows has no process groups that could be signalled and no SIGTERM: `taskkill` ends the tree at once. It finds what a program started
 * through the program alone, and the number of one that has ended is soon another's: nothing is ended then. A program without a path
 * would be looked for in the folder of the project first, so both are named by the folder of the system.
 */
function windows({ run = runAlone, systemRoot = 'C:\\Windows' }: PlatformParts): ProcessPlatform {
  const system = win32.join(systemRoot, 'System32');
  const shell = win32.join(system, 'WindowsPowerShell', 'v1.0', 'powershell.exe');
  return {
    // The exit code of the last program, which `-Command` does not pass on by itself.
    shellArgv: (line) => [shell, '-NoProfile', '-NonInteractive', '-Command', `${line}\nexit $LASTEXITCODE`],
    isPosix: false,
    spawnOptions: { detached: false, windowsHide: true },
    endTree({ pid, hasEnded }) {
      if (!hasEnded) run([win32.join(system, 'taskkill.exe'), '/pid', String(pid), '/t', '/f']);
    },
  };
}

function runAlone([program, ...args]: Argv): void {
  const child = spawn(program, args, { stdio: 'ignore', windowsHide: true });
  child.on('error', () => undefined); // Nothing else can be done.
}
