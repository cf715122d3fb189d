import { sliceByColumn, stripTerminalSequences, visibleWidth } from './pi-tui.ts';

/** What a terminal does with its lines when it becomes narrower: breaks them (and joins them again), or cuts them. */
export type Reflow = 'breaks' | 'cuts';

interface TerminalKind {
  readonly name: string;
  /** Of its answer to the question for secondary device attributes, `CSI > 84 ; 0 ; 0 c`: the numbers. */
  readonly attributes?: RegExp;
  /** Of `TERM`, for those that do not answer. */
  readonly term?: RegExp;
}

/**
 * The terminals that cut. All others that people use today break: VTE, Konsole, kitty, Alacritty, foot, WezTerm, Ghostty, iTerm2,
 * Terminal.app, Windows Terminal, xterm.js (VS Code), tmux, Zellij, mintty, rxvt-unicode.
 */
const CUTTING: readonly TerminalKind[] = [
  // ctlseqs.txt, "Send Device Attributes (Secondary DA)": 41 is VT420, what xterm says it is.
  { name: 'xterm', attributes: /^41;/ },
  // The same page names 83 as GNU screen's.
  { name: 'GNU screen', attributes: /^83;/ },
  { name: 'PuTTY', attributes: /^0;136;/ },
  { name: 'the Linux console', term: /^linux/ },
  { name: 'st', term: /^st(?:-|$)/ },
];

/** `attributes`: the numbers of the terminal's answer, e.g. `84;0;0`, once it came. */
export function reflowOf(term: string, attributes: string | undefined): Reflow {
  const fits = (kind: TerminalKind): boolean =>
    attributes === undefined ? kind.term?.test(term) === true : kind.attributes?.test(attributes) === true;
  return CUTTING.some(fits) ? 'cuts' : 'breaks';
}

/** Rows that a terminal which breaks lines gives to one: a wide character that does not fit goes to the next row whole. */
export function rowsOf(line: string, width: number): number {
  if (visibleWidth(line) <= width) return 1;
  let rows = 1;
  let column = 0;
  for (const { segment } of new Intl.Segmenter().segment(stripTerminalSequences(line))) {
    const wide = visibleWidth(segment);
    if (column + wide > width) {
      rows++;
      column = 0;
    }
    column += wide;
  }
  return rows;
}

/** xterm.js (VS Code, JupyterLab): what `sendDeviceAttributesSecondary` in its `InputHandler.ts` answers. */
const XTERM_JS = '0;276;';

/**
 * How many rows below the beginning of its own line the cursor came to stand. `lines`: its own one, and those below it. xterm.js goes
 * through them from the last one (`Buffer._reflowSmaller`) and moves the cursor by each row that it adds, whether above it or below. The line
 * that the cursor is at by then is left unbroken: it is taken for the cursor's own.
 */
export function cursorDrift(lines: readonly string[], width: number, attributes: string | undefined): number {
  if (attributes?.startsWith(XTERM_JS) !== true) return 0;
  return lines.reduceRight((drift, line, at) => (at === drift ? drift : drift + rowsOf(line, width) - 1), 0);
}

/** Rows of a line after a terminal of that kind became `width` columns wide. */
export function rowsAfter(reflow: Reflow, line: string, width: number): number {
  return reflow === 'cuts' ? 1 : rowsOf(line, width);
}

export interface Reseated {
  /** How many of the lines are above the first one that begins on the screen. */
  readonly above: number;
  /** Rows at the top of the screen with something else: the end of a line that was broken, or what was before the lines. */
  readonly strange: number;
}

/**
 * Where lines are after a terminal moved them: `rows` of them stand on the screen above the cursor, the last of `lines` just
 * above it. Counted back from the cursor, because only it has a place that the terminal tells.
 */
export function reseat(lines: readonly string[], rows: number, width: number, reflow: Reflow): Reseated {
  let above = lines.length;
  let left = rows;
  while (above > 0 && left > 0) {
    const height = rowsAfter(reflow, lines[above - 1] ?? '', width);
    if (height > left) break;
    left -= height;
    above--;
  }
  return { above, strange: left };
}

/** What stands above the last `rows` rows of lines that a terminal broke. */
export function rowsAbove(lines: readonly string[], rows: number, width: number): string[] {
  let left = lines.reduce((sum, line) => sum + rowsOf(line, width), -rows);
  return lines.flatMap((line) => {
    const height = Math.min(left, rowsOf(line, width));
    left -= height;
    return height > 0 ? [sliceByColumn(line, 0, height * width)] : [];
  });
}
