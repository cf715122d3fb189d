import type { Words } from './shell-words.ts';

/** Answers why these arguments are not read-only, or `undefined` when they are. */
type Check = (args: readonly string[]) => string | undefined;

const anything: Check = () => undefined;

/** Refuses options: long ones by name (also abbreviated, as getopt allows), short ones wherever they stand in a cluster. */
function without(long: readonly string[], short = ''): Check {
  return (args) => {
    for (const arg of optionsOf(args)) {
      const name = arg.startsWith('--') ? (arg.slice(2).split('=')[0] ?? '') : undefined;
      if (name !== undefined && long.some((bad) => name !== '' && bad.startsWith(name))) return `option ${arg}`;
      if (name === undefined && short.split('').some((letter) => arg.includes(letter))) return `option ${arg}`;
    }
    return undefined;
  };
}

/** A bare `date 0101…` sets the clock. */
const date: Check = (args) => {
  const set = without(['set'], 's')(args);
  return set ?? (args.every((arg) => arg.startsWith('-') || arg.startsWith('+')) ? undefined : 'an argument');
};

/** `find`'s expressions begin with one dash: those that run or write something. */
const findActions = /^-(exec|execdir|ok|okdir|delete|fls|fprint|fprint0|fprintf|files0-from|follow)$|^-[HL]*L/;

/** `sed -n 1,20p FILE`: the one form that only prints. */
const sed: Check = (args) => {
  const [quiet, script, ...files] = args;
  const prints = quiet === '-n' && script !== undefined && /^\d+(,(\d+|\$))?p$/.test(script);
  return prints && files.every((file) => !file.startsWith('-')) ? undefined : 'sed other than "-n 1,20p FILE"';
};

const uniq: Check = (args) => {
  const files = args.filter((arg) => !arg.startsWith('-'));
  return files.length > 1 || args.includes('--') ? 'a second file, which is written' : undefined;
};

const gitDiff = without(['output', 'ext-diff', 'textconv', 'show-signature']);

/** Subcommands of git that only read, with what makes them write or run something. */
const gitReads: Readonly<Record<string, Check>> = {
  status: anything,
  log: gitDiff,
  show: gitDiff,
  diff: gitDiff,
  blame: without(['output', 'contents', 'textconv']),
  'ls-files': anything,
  'rev-parse': anything,
  describe: anything,
  shortlog: without(['output']),
  branch: (args) =>
    args.every((arg) => /^(-a|-r|-v|-vv|--list|--all|--remotes|--show-current)$/.test(arg)) ? undefined : 'a branch',
};

const git: Check = (args) => {
  const [subcommand = '', ...rest] = args;
  const check = Object.hasOwn(gitReads, subcommand) ? gitReads[subcommand] : undefined;
  return check === undefined ? `git ${subcommand}`.trim() : check(rest);
};

const commands: Readonly<Record<string, Check>> = {
  basename: anything,
  cat: anything,
  cmp: anything,
  comm: anything,
  cut: anything,
  date,
  df: anything,
  diff: without(['output']),
  dirname: anything,
  du: without(['files0-from', 'dereference'], 'L'),
  echo: anything,
  egrep: without(['dereference-recursive'], 'R'),
  false: anything,
  fgrep: without(['dereference-recursive'], 'R'),
  file: without(['compile', 'files-from'], 'Cf'),
  find: (args) => args.find((arg) => findActions.test(arg)),
  git,
  grep: without(['dereference-recursive'], 'R'),
  head: anything,
  hostname: (args) => (args.length === 0 ? undefined : 'an argument'),
  id: anything,
  ls: without(['dereference'], 'LH'),
  md5sum: anything,
  nl: anything,
  pwd: anything,
  readlink: anything,
  realpath: anything,
  rg: without(['pre', 'pre-glob', 'hostname-bin', 'search-zip', 'follow'], 'zL'),
  sed,
  seq: anything,
  sha1sum: anything,
  sha256sum: anything,
  sort: without(['output', 'compress-program', 'files0-from', 'temporary-directory'], 'oT'),
  stat: anything,
  tail: anything,
  tr: anything,
  true: anything,
  uname: anything,
  uniq,
  wc: without(['files0-from']),
  which: anything,
  whoami: anything,
};

/** Why this simple command may change something, or `undefined` when it is on the read-only list. */
export function objectionTo(words: Words): string | undefined {
  const [program, ...args] = words;
  const check = Object.hasOwn(commands, program) ? commands[program] : undefined;
  if (check === undefined) return `"${program}" is not on the list of read-only commands`;
  const bad = check(args);
  return bad === undefined ? undefined : `"${program}" with ${bad} is not on the list of read-only commands`;
}

/** The arguments that may be paths: all that are no options, and the values of `--option=value`. */
export function possiblePaths(words: Words): readonly string[] {
  return words.slice(1).flatMap((word) => {
    if (!word.startsWith('-')) return [word];
    const equals = word.indexOf('=');
    return equals < 0 ? [] : [word.slice(equals + 1)];
  });
}

/** An option with a path glued to it (`-f/etc/passwd`): we do not know where the path begins. */
export function hasGluedPath(words: Words): boolean {
  return words.slice(1).some((word) => word.startsWith('-') && !word.startsWith('--') && /\/|\.\./.test(word));
}

/**
 * Also behind `--`: that may be the value of an option before it (`sort -S -- -o FILE`), and then what follows are
 * options still.
 */
function optionsOf(args: readonly string[]): readonly string[] {
  return args.filter((arg) => arg.startsWith('-') && arg !== '-' && arg !== '--');
}
