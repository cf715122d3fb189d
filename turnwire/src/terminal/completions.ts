import type { AutocompleteItem, AutocompleteProvider } from '@earendil-works/pi-tui';
import type { PromptCommand } from '@turnwire/agent/internal/project/prompt-commands';
import { visible } from '@turnwire/wire/internal/base/printable';
import { choicesFor, type ChoiceSources } from './choices.ts';
import { slashCommands } from './commands.ts';
import { fuzzyFilter } from './pi-tui.ts';

const MAX_FILES = 5000;
const MAX_SHOWN = 20;
const FILE_PREFIX = /(?:^|\s)(@(?:"[^"]*|[^\s@"]*))$/;

/** Completes slash commands and their arguments at the beginning, and files after `@` anywhere. */
export function createCompletions(sources: ChoiceSources): AutocompleteProvider {
  return {
    triggerCharacters: ['@'],
    async getSuggestions(lines, cursorLine, cursorCol, { signal }) {
      const before = (lines[cursorLine] ?? '').slice(0, cursorCol);
      const file = FILE_PREFIX.exec(before)?.[1];
      if (file !== undefined)
        return suggest(file, await filesFor(file.replace(/^@"?/, ''), sources.backend.cwd, signal));
      if (cursorLine > 0 || !before.startsWith('/')) return null;
      const [, name = '', argument] = /^\/(\S*)(?:\s+(.*))?$/.exec(before) ?? [];
      if (argument === undefined) return suggest(`/${name}`, commandsFor(name, sources.backend.commands ?? []));
      // The whole line: what is chosen takes its place.
      return suggest(before, await choicesFor(name, argument, sources).catch(() => []));
    },
    applyCompletion(lines, cursorLine, cursorCol, item, prefix) {
      const line = lines[cursorLine] ?? '';
      const begin = line.slice(0, cursorCol - prefix.length) + item.value;
      const changed = lines.with(cursorLine, begin + line.slice(cursorCol));
      return { lines: changed, cursorLine, cursorCol: begin.length };
    },
  };
}

function suggest(prefix: string, items: AutocompleteItem[]): { items: AutocompleteItem[]; prefix: string } | null {
  return items.length === 0 ? null : { items, prefix };
}

function commandsFor(name: string, prompts: readonly PromptCommand[]): AutocompleteItem[] {
  const items = [
    ...slashCommands.map((command) => ({ ...command, takesMore: command.argument !== undefined })),
    ...prompts.map((command) => ({ ...command, takesMore: command.body.includes('$ARGUMENTS') })),
  ];
  return items
    .filter((command) => command.name.startsWith(name))
    .map((command) => ({
      value: command.takesMore ? `/${command.name} ` : `/${command.name}`,
      label: command.name,
      description: visible(command.description),
    }));
}

async function filesFor(query: string, cwd: string, signal: AbortSignal): Promise<AutocompleteItem[]> {
  const { listProjectFiles } = await import('@turnwire/agent/internal/project/project-files');
  const files = await listProjectFiles(cwd, { maxFiles: MAX_FILES, signal });
  const found = query === '' ? files : fuzzyFilter([...files], query, (file) => file);
  return found.slice(0, MAX_SHOWN).map((file) => ({ value: mention(file), label: visible(file) }));
}

/** A name with blanks in it is quoted. */
function mention(file: string): string {
  return /[\s"]/.test(file) ? `@"${file}" ` : `@${file} `;
}
