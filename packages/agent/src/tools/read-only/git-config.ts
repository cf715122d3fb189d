/** A setting of a repository's configuration: `diff.x.textconv`, in small letters. */
interface Setting {
  readonly key: string;
  readonly value: string;
}

const HEADER = /^\[([-.\w]*)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]\s*/;
const SETTING = /^([a-z][-a-z0-9]*)\s*(?:=\s*(.*))?$/i;

/**
 * The settings of one configuration file of git, or `undefined` when it holds more than sections and `key = value`
 * lines. A line that goes on in the next is such a thing: it could hide a setting from us.
 */
function parseSettings(text: string): readonly Setting[] | undefined {
  const settings: Setting[] = [];
  let section = '';
  for (const raw of text.replace(/^\uFEFF/, '').split('\n')) {
    let line = raw.trim();
    if (line.endsWith('\\') || line.includes('\0')) return undefined;
    for (let header = HEADER.exec(line); header !== null; header = HEADER.exec(line)) {
      section = [header[1], header[2]].filter((part) => part !== undefined).join('.');
      line = line.slice(header[0].length);
    }
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const [, name, value = 'true'] = SETTING.exec(line) ?? [];
    if (name === undefined) return undefined;
    settings.push({ key: `${section}.${name}`.toLowerCase(), value: value.trim() });
  }
  return settings;
}

/**
 * Settings that run a program, fetch, or read other files or repositories while git only reads, and that no setting of
 * ours switches off (git-config(1)).
 */
const DANGEROUS: readonly RegExp[] = [
  /^include(if)?\./,
  /^core\.(worktree|sshcommand|gitproxy|alternaterefscommand|askpass|editor)$/,
  /^diff\.(external|orderfile)$/,
  /^diff\..*\.(command|textconv)$/,
  /^filter\./,
  /^gpg\./,
  // A name of these may stand for `%G?`, which runs the program that checks signatures.
  /^(pretty\.|format\.pretty$)/,
  // `remerge` merges, with the drivers of `merge.*.driver`.
  /^log\.diffmerges$/,
  /^mailmap\.file$/,
  /^pager\./,
  /^remote\..*\.(promisor|partialclonefilter|vcs)$/,
  // Of an extension that we do not know we cannot know what it does.
  /^extensions\.(?!(worktreeconfig|objectformat|noop|preciousobjects|relativeworktrees)$)/,
];

/** The first setting for which git is not run unasked; `undefined` when there is none. */
export function dangerousSetting(text: string): string | undefined {
  const settings = parseSettings(text);
  if (settings === undefined) return 'lines that we do not understand';
  return settings.find(
    ({ key, value }) =>
      DANGEROUS.some((pattern) => pattern.test(key)) ||
      // Git before 2.31 does not know the variables that switch it off.
      (key === 'core.fsmonitor' && !/^("?(true|false)"?|)$/i.test(value)),
  )?.key;
}
