/**
 * How much processor time frames take and how many bytes they write, for an answer of 1 MB at 1,000 deltas a second:
 * `node test/terminal/frame-times.ts`. The terminal only counts, so that nothing but our own work is measured.
 */
import { Markdown, TuiMainScreen } from '@earendil-works/pi-tui';
import { cellLines } from '../../turnwire/src/terminal/cell-lines.ts';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';
import { Layout } from '../../turnwire/src/terminal/layout.ts';
import { markdownTheme } from '../../turnwire/src/terminal/markdown-theme.ts';
import { Screen } from '../../turnwire/src/terminal/screen.ts';
import { createTheme } from '../../turnwire/src/terminal/theme.ts';
import { viewAfter } from '../../turnwire/src/terminal/view-reducer.ts';
import { emptyView, type ViewState } from '../../turnwire/src/terminal/view-state.ts';
import { CountingTerminal } from './counting-terminal.ts';

const WIDTH = 100;
const ROWS = 40;
/** 1,000 deltas a second at 60 frames a second. */
const DELTAS_PER_FRAME = 16;
const DELTA_CHARS = 20;
const theme = createTheme({ colour: true });

const SAMPLE = `## A heading

Some **bold** text with \`code\`, wide characters 日本語 and emoji 👩‍👩‍👧, long enough to be wrapped over more than one line of it.

- an item
- another item that says more

\`\`\`ts
function add(a: number, b: number): number {
  return a + b; // the sum
}
\`\`\`

| name | value |
|---|---|
| one | 1 |
| two | 2 |

`;

interface Frames {
  readonly frame: (text: string) => void;
  readonly terminal: CountingTerminal;
}

function ours(deltaChars = DELTA_CHARS): Frames {
  const terminal = new CountingTerminal(WIDTH, ROWS);
  const layout = new Layout();
  let view: ViewState = emptyView;
  const screen = new Screen({
    terminal,
    clock: systemClock,
    term: '',
    compose: ({ top, width }) => {
      const look = { theme, width, unfolded: false };
      const lines = layout.update(view.cells, {
        render: (cell) => cellLines(cell, look),
        width,
        look: '',
        top,
        voidMark: '',
      });
      if (layout.sealed.size >= 64) {
        view = { ...view, cells: view.cells.filter((cell) => !layout.sealed.has(cell.key)) };
        layout.forgetSealed();
      }
      return { first: layout.first, lines, bottom: ['', 'answering 1s (esc) · 60 tok/s', '› '] };
    },
  });
  screen.start();
  return {
    terminal,
    frame(text) {
      for (let at = 0; at < text.length; at += deltaChars) {
        view = viewAfter(view, { type: 'output_text.delta', item_id: 'm', delta: text.slice(at, at + deltaChars) }, 0);
      }
      screen.renderNow();
    },
  };
}

function piTui(): Frames {
  const terminal = new CountingTerminal(WIDTH, ROWS);
  const screen = new TuiMainScreen(terminal);
  const markdown = new Markdown('', 0, 0, markdownTheme(theme));
  let whole = '';
  screen.addChild(markdown);
  screen.start();
  return {
    terminal,
    frame(text) {
      whole += text;
      markdown.setText(whole);
      screen.renderNow();
    },
  };
}

/** Time on the processor, so that other programs on the machine do not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function measure(name: string, { frame, terminal }: Frames, size: number, skipTo = 0): void {
  const text = SAMPLE.repeat(Math.ceil(size / SAMPLE.length));
  const step = DELTAS_PER_FRAME * DELTA_CHARS;
  if (skipTo > 0) frame(text.slice(0, skipTo));
  terminal.bytes = 0;
  const times: number[] = [];
  for (let at = skipTo; at < size; at += step) {
    const begin = cpuMs();
    frame(text.slice(at, at + step));
    times.push(cpuMs() - begin);
  }
  times.sort((one, other) => one - other);
  const part = (p: number): string => (times[Math.min(times.length - 1, Math.floor(times.length * p))] ?? 0).toFixed(2);
  console.log(
    `${name}: ${times.length} frames, p50 ${part(0.5)} ms, p99 ${part(0.99)} ms, longest ${part(1)} ms, ` +
      `${Math.round(terminal.bytes / times.length)} bytes per frame (${step} characters of text came in each)`,
  );
}

/** An answer that comes as one delta is drawn over several frames. */
function measureWhole(): void {
  const { frame, terminal } = ours(1_000_000);
  const text = SAMPLE.repeat(Math.ceil(1_000_000 / SAMPLE.length));
  const begin = cpuMs();
  frame(text);
  const first = cpuMs() - begin;
  let frames = 1;
  for (let before = -1; terminal.bytes !== before; frames++) {
    before = terminal.bytes;
    frame('');
  }
  const each = Math.round((cpuMs() - begin - first) / frames);
  console.log(
    `ours, 1 MB at once: ${frames} frames, the first ${Math.round(first)} ms, then ${each} ms each on average`,
  );
}

measure('ours, 0 to 1 MB', ours(), 1_000_000);
if (process.argv.includes('--all'))
  for (const size of [10_000, 100_000]) measure(`pi-tui, whole answer, at ${size}`, piTui(), size + 10_000, size);
if (process.argv.includes('--all')) measure('pi-tui, whole answer, at 1000000', piTui(), 1_003_200, 1_000_000);
measureWhole();
