import { SerializeAddon } from '@xterm/addon-serialize';
import xterm from '@xterm/headless';
import type { Tmux } from '../../test/terminal/tmux.ts';

const LOOKS = `body { margin: 0 } pre { margin: 0; width: max-content }
pre > div { padding: 16px; font: 14px/1.35 'DejaVu Sans Mono', monospace !important; color: #e6e8eb !important; background: #16181c !important }`;

/** Five of the sixteen colours as they can be read on a dark ground, by those that the library has for them. */
const COLOURS: Readonly<Record<string, string>> = {
  '#cc0000': '#f2777a',
  '#4e9a06': '#8cc570',
  '#c4a000': '#e5c07b',
  '#75507b': '#c594c5',
  '#06989a': '#56c8d8',
};

/** What a terminal shows, as a page, down to the last row with a text. */
export async function terminalPage(tmux: Tmux): Promise<string> {
  const text = tmux.colours().trimEnd();
  const rows = text.split('\n').length;
  const terminal = new xterm.Terminal({ cols: Number(tmux.tell('#{pane_width}')), rows, allowProposedApi: true });
  const addon = new SerializeAddon();
  terminal.loadAddon(addon);
  await new Promise<void>((resolve) => terminal.write(text.replaceAll('\n', '\r\n'), resolve));
  const html = addon.serializeAsHTML({ includeGlobalBackground: true });
  terminal.dispose();
  const body = html.replaceAll(/#[0-9a-f]{6}/g, (colour) => COLOURS[colour] ?? colour);
  return `<!doctype html><meta charset="utf-8"><style>${LOOKS}</style>${body}`;
}
