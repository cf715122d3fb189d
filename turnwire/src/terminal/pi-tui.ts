/**
 * What of the terminal library is used, file by file: its index reads all of it, a quarter of it (full-screen layouts, settings, spinners)
 * in vain, and the chat is waited for meanwhile. Types come from its index.
 */
export { Editor } from '@earendil-works/pi-tui/dist/components/editor.js';
export { Markdown } from '@earendil-works/pi-tui/dist/components/markdown.js';
export { fuzzyFilter } from '@earendil-works/pi-tui/dist/fuzzy.js';
export { matchesKey } from '@earendil-works/pi-tui/dist/keys.js';
export { ProcessTerminal } from '@earendil-works/pi-tui/dist/terminal.js';
export { detectCapabilities, setCapabilityOverrides } from '@earendil-works/pi-tui/dist/terminal-image.js';
export { CURSOR_MARKER } from '@earendil-works/pi-tui/dist/tui.js';
export { TuiMainScreen } from '@earendil-works/pi-tui/dist/tui-main-screen.js';
export {
  sliceByColumn,
  stripTerminalSequences,
  truncateToWidth,
  visibleWidth,
  wrapTextWithAnsi,
} from '@earendil-works/pi-tui/dist/utils.js';
