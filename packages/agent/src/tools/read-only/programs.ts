import type { Arguments, Options } from './parse-arguments.ts';

/**
 * What a program may be given to run without a question. An option that writes, runs something, reads a file of its own
 * or follows links inside of folders is not in its row, nor is one that we do not know.
 */
export interface Program extends Options {
  /** How many operands there may be. Default: any number. */
  readonly operands?: number;
  /** How many operands, from the first on, are text and no paths. Default 0. */
  readonly texts?: number;
  /** With one of these options all operands are paths. */
  readonly pathsOnlyWith?: readonly string[];
  /** All words are text, also what looks like an option. */
  readonly anything?: boolean;
  /** A folder as an operand means that files in it are read through links, unless this option is there. */
  readonly foldersNeed?: string;
  /** It reads what files below a folder hold, also below the one that it runs in. */
  readonly walks?: boolean;
  /** Why it asks nevertheless. */
  readonly objection?: (args: Arguments) => string | undefined;
  /** Free in a sandbox only. */
  readonly sandboxed?: boolean;
}

const grep: Program = {
  short: 'EFGPyivwxcnHhlLoqsrabzTUZe:m:A:B:C:',
  long: `extended-regexp fixed-strings basic-regexp perl-regexp regexp= ignore-case no-ignore-case word-regexp line-regexp
    count color? colour? files-with-matches files-without-match max-count= only-matching quiet silent no-messages
    byte-offset with-filename no-filename label= line-number initial-tab null text binary-files= exclude= exclude-dir=
    include= recursive line-buffered invert-match after-context= before-context= context= null-data`,
  numbers: true,
  texts: 1,
  pathsOnlyWith: ['e', 'regexp'],
  walks: true,
};

/** Not `-c`, which reads the files that its file names. */
const checksum: Program = { short: 'btz', long: 'binary text tag zero' };

/** Without its old forms; a second operand is the file that it writes. */
const uniq: Program = {
  short: 'cdDiuzf:s:w:',
  long: `count repeated all-repeated? unique ignore-case skip-fields= skip-chars= check-chars= zero-terminated`,
  operands: 1,
};

/** A bare `date 0101…` sets the clock; `-f` and `-r` read a file. */
const date: Program = {
  short: 'uRI::d:',
  long: 'utc universal rfc-email iso-8601? rfc-3339= date=',
  operands: 1,
  texts: 1,
  objection: ({ operands }) => operands.find((word) => !word.startsWith('+')),
};

/** Links inside of folders are followed by `-L`, `-H` and `-follow`; programs are run and files written by others. */
const find: Program = {
  oneDash: true,
  long: `P name= iname= path= ipath= wholename= iwholename= regex= iregex= regextype= type= xtype= size= mtime= mmin=
    atime= amin= ctime= cmin= newer= maxdepth= mindepth= perm= user= group= uid= gid= links= inum= lname= ilname=
    printf= print print0 ls empty readable writable executable not a o and or true false prune quit depth mount xdev
    daystart noleaf nouser nogroup version help`,
};

const line = String.raw`(\d+|\$)(,(\d+|\$))?p`;
/** `sed -n 1,20p FILE`: the one form that only prints. */
const sed: Program = {
  short: 'n',
  texts: 1,
  objection: ({ options, operands: [script = ''] }) =>
    options.length === 1 && new RegExp(`^${line}(;${line})*$`).test(script) ? undefined : 'other than "-n 1,20p FILE"',
};

const table: Readonly<Record<string, Program>> = {
  basename: { short: 'azs:', long: 'multiple zero suffix=', texts: Infinity },
  cat: {
    short: 'AbeEnstTuv',
    long: 'show-all number-nonblank show-ends number squeeze-blank show-tabs show-nonprinting',
  },
  cmp: { short: 'blsn:i:', long: 'print-bytes verbose silent quiet bytes= ignore-initial=' },
  comm: { short: '123iz', long: 'check-order nocheck-order output-delimiter= total zero-terminated' },
  cut: {
    short: 'snzb:c:d:f:',
    long: 'bytes= characters= delimiter= fields= only-delimited output-delimiter= complement zero-terminated',
  },
  date,
  df: {
    short: 'ahHiklmPTt:x:B:',
    long: 'all human-readable si inodes local portability type= exclude-type= print-type output? total block-size=',
  },
  diff: {
    short: 'abBcdeEiNpqrstTuwyZC:U:I:W:F:x:',
    long: `brief report-identical-files context? unified? ed rcs side-by-side suppress-common-lines width= ignore-case
      ignore-all-space ignore-space-change ignore-blank-lines ignore-trailing-space ignore-tab-expansion text recursive
      new-file no-dereference exclude= label= color? minimal strip-trailing-cr show-c-function expand-tabs normal`,
    foldersNeed: 'no-dereference',
    walks: true,
  },
  dirname: { short: 'z', long: 'zero', texts: Infinity },
  du: {
    short: 'abchklmsSx0Pd:B:t:',
    long: `all bytes total human-readable count-links summarize separate-dirs one-file-system null max-depth=
      apparent-size si inodes exclude= threshold= block-size= time? no-dereference`,
  },
  echo: { anything: true },
  egrep: grep,
  false: { anything: true },
  fgrep: grep,
  // It takes apart every binary format there is.
  file: {
    short: 'bikNnr0h',
    long: 'brief mime mime-type mime-encoding keep-going no-pad raw no-dereference',
    sandboxed: true,
  },
  find,
  grep,
  head: { short: 'qvzn:c:', long: 'lines= bytes= quiet silent verbose zero-terminated', numbers: true },
  hostname: { operands: 0 },
  id: { short: 'Ggnruz', long: 'groups group name real user zero', texts: Infinity },
  ls: {
    short: 'aAbBcCdfFgGhiklmnNopqQrRsStuUvxXZ1I:',
    long: `all almost-all author escape block-size= ignore-backups color? directory classify? file-type format=
      full-time group-directories-first no-group human-readable si hide= hyperlink? indicator-style= inode ignore=
      kibibytes numeric-uid-gid literal hide-control-chars quote-name quoting-style= reverse recursive size sort= time=
      time-style= width= context zero`,
  },
  md5sum: checksum,
  nl: {
    short: 'pb:d:f:h:i:l:n:s:v:w:',
    long: `body-numbering= section-delimiter= footer-numbering= header-numbering= line-increment= join-blank-lines=
      number-format= no-renumber number-separator= starting-line-number= number-width=`,
  },
  pwd: { short: 'LP', long: 'logical physical', operands: 0 },
  readlink: { short: 'femnqsvz', long: 'canonicalize canonicalize-existing canonicalize-missing no-newline zero' },
  realpath: { short: 'emLPqsz', long: 'canonicalize-existing canonicalize-missing logical physical quiet strip zero' },
  // `--pre` and `-z` run programs, `-L` follows links, `-f` and `--ignore-file` read files.
  rg: {
    short: 'inNlcovwxFSsUPpHhuaq0.Ie:g:t:T:m:A:B:C:r:j:M:d:',
    long: `regexp= glob= iglob= type= type-not= max-count= after-context= before-context= context= replace= threads=
      max-columns= max-depth= max-filesize= ignore-case case-sensitive smart-case line-number no-line-number
      files-with-matches files-without-match count count-matches only-matching invert-match word-regexp line-regexp
      fixed-strings multiline multiline-dotall pcre2 pretty heading no-heading with-filename no-filename hidden no-ignore
      no-ignore-vcs unrestricted text quiet color= column no-column files json stats sort= sortr= trim type-list
      vimgrep null no-messages no-config passthru`,
    texts: 1,
    pathsOnlyWith: ['e', 'regexp', 'files', 'type-list'],
    walks: true,
  },
  sed,
  seq: { short: 'wf:s:', long: 'equal-width format= separator=', numbers: true, texts: Infinity },
  sha1sum: checksum,
  sha256sum: checksum,
  sort: {
    short: 'bdfghiMnRrVcCmsuzk:t:',
    long: `ignore-leading-blanks dictionary-order ignore-case general-numeric-sort human-numeric-sort ignore-nonprinting
      month-sort numeric-sort random-sort reverse sort= version-sort check? merge stable unique zero-terminated key=
      field-separator= debug`,
  },
  stat: { short: 'tfc:', long: 'terse file-system format= printf=' },
  tail: { short: 'qvzn:c:', long: 'lines= bytes= quiet silent verbose zero-terminated', numbers: true },
  tr: { short: 'cCdst', long: 'complement delete squeeze-repeats truncate-set1', texts: Infinity },
  true: { anything: true },
  uname: { short: 'asnrvmpio', long: 'all', operands: 0 },
  uniq,
  wc: { short: 'clmLw', long: 'bytes chars lines words max-line-length' },
  which: { short: 'as', texts: Infinity },
  whoami: { operands: 0 },
};

export function programNamed(name: string): Program | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
