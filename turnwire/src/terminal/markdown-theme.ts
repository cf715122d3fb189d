import type { MarkdownTheme } from '@earendil-works/pi-tui';
import { highlight } from './highlight.ts';
import { stripTerminalSequences } from './pi-tui.ts';
import type { Theme } from './theme.ts';

/** The looks of markdown in an answer. */
export function markdownTheme(theme: Theme): MarkdownTheme {
  return {
    heading: (text) => theme.bold(theme.cyan(text)),
    // An address stands there to be read, also where it can be followed: so no text can deceive of where it leads.
    link: (text) => theme.link(theme.underline(text), stripTerminalSequences(text)),
    linkUrl: (text) => theme.link(theme.dim(text), text.trim().replace(/^\((.*)\)$/, '$1')),
    code: theme.cyan,
    codeBlock: (text) => text,
    // Fences are marks of the source. Those of code within a quote leave a blank line.
    codeBlockBorder: () => '',
    quote: theme.italic,
    quoteBorder: theme.dim,
    hr: theme.dim,
    listBullet: theme.cyan,
    bold: theme.bold,
    italic: theme.italic,
    strikethrough: theme.strike,
    underline: theme.underline,
    highlightCode: (code, language) => [...highlight(code, language ?? '', '', theme).lines],
    codeBlockIndent: '  ',
  };
}
