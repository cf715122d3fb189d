import type { Arguments } from './parse-arguments.ts';
import type { Program } from './programs.ts';

/** A subcommand of git that only reads. */
export interface GitCommand extends Program {
  /**
   * Put before its arguments: no program for differences or for showing a file, and no git that is started inside of a
   * submodule, with the configuration of that one.
   */
  readonly insert?: readonly string[];
}

/** `%G?` and its kind run the program that checks signatures, also with one of `+`, `-` and a blank in between. */
const signature = ({ options }: Arguments): string | undefined =>
  options.find(({ name, value = '' }) => /^(format|pretty)$/.test(name) && /%[-+ ]?G/.test(value))?.value;

const shortDiff = 'pusbwaRzrtmcM::C::B::U:S:G:I:';
// Not --submodule, --ext-diff, --textconv, --no-index, --output and -O; not --remerge-diff, which writes objects.
const longDiff = `patch no-patch unified= raw patch-with-raw patch-with-stat stat? numstat shortstat dirstat? summary
  name-only name-status color? no-color color-words? word-diff? word-diff-regex= color-moved? no-renames find-renames?
  find-copies? find-copies-harder full-index binary abbrev? no-abbrev minimal patience histogram diff-algorithm=
  indent-heuristic no-indent-heuristic diff-filter= pickaxe-all pickaxe-regex text ignore-all-space ignore-space-change
  ignore-space-at-eol ignore-blank-lines ignore-cr-at-eol ignore-matching-lines= inter-hunk-context= function-context
  exit-code quiet no-ext-diff no-textconv no-prefix src-prefix= dst-prefix= relative? cc combined-all-paths`;

const log: GitCommand = {
  short: `${shortDiff}iEFPgqn:L:`,
  long: `${longDiff} oneline graph no-graph all branches? tags? remotes? decorate? no-decorate decorate-refs=
    decorate-refs-exclude= abbrev-commit no-abbrev-commit pretty? format= date= relative-date max-count= skip= since=
    after= until= before= author= committer= grep= all-match invert-grep regexp-ignore-case extended-regexp
    fixed-strings perl-regexp merges no-merges min-parents= max-parents= first-parent not follow full-history
    simplify-merges simplify-by-decoration ancestry-path reverse topo-order date-order author-date-order left-right
    cherry-pick cherry-mark cherry left-only right-only boundary parents children source full-diff log-size walk-reflogs
    no-walk? no-notes no-mailmap mailmap no-show-signature`,
  numbers: true,
  objection: signature,
  insert: ['--no-ext-diff', '--no-textconv', '--ignore-submodules=dirty'],
};

const subcommands: Readonly<Record<string, GitCommand>> = {
  // -S, --contents and --ignore-revs-file read files.
  blame: {
    short: 'wsfneltcpM::C::L:',
    long: `porcelain line-porcelain incremental show-email show-name show-number date= since= first-parent root
      abbrev=`,
  },
  // Only lists: a name would be made a branch.
  branch: { short: 'arv', long: 'list all remotes verbose show-current no-color no-column', operands: 0 },
  // Not --dirty, which writes the index.
  describe: {
    long: `all tags contains abbrev= candidates= exact-match long match= exclude= always first-parent`,
  },
  diff: {
    short: shortDiff,
    long: `${longDiff} cached staged merge-base`,
    insert: ['--no-ext-diff', '--no-textconv', '--ignore-submodules=dirty'],
  },
  log,
  // -X and --exclude-per-directory read files.
  'ls-files': {
    short: 'cdmoistukvzx:',
    long: `cached deleted modified others ignored stage unmerged killed directory no-empty-directory exclude=
      exclude-standard error-unmatch full-name abbrev? deduplicate eol`,
  },
  'rev-parse': {
    short: 'q',
    long: `verify quiet short? abbrev-ref? symbolic symbolic-full-name show-toplevel show-prefix show-cdup git-dir
      absolute-git-dir git-common-dir is-inside-work-tree is-inside-git-dir is-bare-repository is-shallow-repository
      all branches tags remotes`,
  },
  shortlog: {
    short: 'nsec',
    long: 'numbered summary email committer all no-merges merges since= after= until= before= author= grep=',
    numbers: true,
  },
  show: log,
  status: {
    short: 'sbvzu::',
    long: `short branch porcelain? long verbose untracked-files? ignored? no-renames find-renames? no-column show-stash
      ahead-behind no-ahead-behind null`,
    insert: ['--ignore-submodules=dirty'],
  },
};

/** The subcommand of git that these arguments name, where its own begin; `undefined` when it is not on the list. */
export function gitCommand(args: readonly string[]): { command: GitCommand; name: string; at: number } | undefined {
  const at = args.findIndex((word) => word !== '--no-pager' && word !== '-P');
  const name = args[at];
  if (name === undefined || !Object.hasOwn(subcommands, name)) return undefined;
  const command = subcommands[name];
  return command === undefined ? undefined : { command, name, at };
}

/**
 * Settings that outrank those of the repository (`GIT_CONFIG_COUNT`, git 2.31) and switch off what would run a program,
 * write, or read a file that the configuration names.
 */
const SETTINGS: readonly (readonly [string, string])[] = [
  // Empty and not `false`, which git before 2.36 took for the name of a program.
  ['core.fsmonitor', ''],
  ['core.hooksPath', '/dev/null'],
  ['core.pager', 'cat'],
  ['safe.bareRepository', 'explicit'],
  ['log.showSignature', 'false'],
  ['gpg.program', '/bin/false'],
  ['gpg.ssh.program', '/bin/false'],
  ['gpg.x509.program', '/bin/false'],
  ['diff.autoRefreshIndex', 'false'],
  ['diff.submodule', 'short'],
  ['diff.ignoreSubmodules', 'dirty'],
  ['status.submoduleSummary', 'false'],
  ['submodule.recurse', 'false'],
  ['blame.ignoreRevsFile', ''],
  ['protocol.allow', 'never'],
];

/**
 * Environment of a git that runs unasked, for the repository of this folder and no other. The person's own
 * configuration is not read: its programs are not meant for what a model asks for.
 */
export function gitEnvironment(folder: string): Readonly<Record<string, string>> {
  return {
    GIT_DIR: `${folder}/.git`,
    GIT_WORK_TREE: folder,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_NO_LAZY_FETCH: '1',
    GIT_CONFIG_COUNT: String(SETTINGS.length),
    ...Object.fromEntries(
      SETTINGS.flatMap(([key, value], n) => [
        [`GIT_CONFIG_KEY_${n}`, key],
        [`GIT_CONFIG_VALUE_${n}`, value],
      ]),
    ),
  };
}
