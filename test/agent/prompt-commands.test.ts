import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { promptOf, readPromptCommands, withCommand } from '../../packages/agent/src/project/prompt-commands.ts';
import { temporaryFolder } from './helpers.ts';

async function folderWith(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await temporaryFolder();
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
  return folder;
}

const own = { followLinks: true };

describe('commands as Markdown files', () => {
  test('have the name of their file, and a description of their front matter or their first line', async () => {
    const folder = await folderWith({
      'review.md': '---\ndescription: "Review: a file"\nmodel: other\n---\nLook at $ARGUMENTS.\n',
      'plain.md': '\r\nSay hello\r\nto all.\r\n',
      'empty-front.md': '---\n---\nText',
      'notes.txt': 'no command',
    });
    const { texts: commands, notes } = await readPromptCommands(folder, own);
    expect(notes).toEqual([]);
    expect(commands).toEqual([
      { name: 'empty-front', description: 'Text', body: 'Text', path: join(folder, 'empty-front.md') },
      {
        name: 'plain',
        description: 'Say hello',
        body: '\r\nSay hello\r\nto all.\r\n',
        path: join(folder, 'plain.md'),
      },
      { name: 'review', description: 'Review: a file', body: 'Look at $ARGUMENTS.\n', path: join(folder, 'review.md') },
    ]);
  });

  test('that cannot be used are told, each with its file', async () => {
    const bombs = 'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n';
    const folder = await folderWith({
      'Big.md': 'x',
      'binary.md': Buffer.from([1, 0, 2]),
      'bomb.md': `---\n${bombs}---\nx`,
      'broken.md': '---\ndescription: [\n---\nx',
      'large.md': 'x'.repeat(64 * 1024 + 1),
      'list.md': '---\n- a\n---\nx',
      'textless.md': '---\ndescription: a\n---\n',
    });
    const { texts: commands, notes } = await readPromptCommands(folder, own);
    expect(commands).toEqual([]);
    const why = (name: string) =>
      notes
        .find((note) => note.startsWith(`the command ${join(folder, name)} is not used: `))
        ?.split(' is not used: ')[1];
    expect(why('Big.md')).toBe('a name is of lower-case letters, digits, - and _, and begins with a letter');
    expect(why('binary.md')).toBe('it is empty, no text, or cannot be read');
    expect(why('bomb.md')).toBe('its front matter is no YAML: Alias resolution is disabled');
    expect(why('broken.md')).toMatch(/^its front matter is no YAML: [^\n]+$/);
    expect(why('large.md')).toBe('it is larger than 64 KiB');
    expect(why('list.md')).toBe('its front matter is no YAML mapping');
    expect(why('textless.md')).toBe('it has no text');
    expect(notes).toHaveLength(7);
  });

  test('are a hundred at most, and none where there is no folder', async () => {
    const names = Array.from({ length: 101 }, (_, at) => `c${String(at).padStart(3, '0')}`);
    const folder = await folderWith(Object.fromEntries(names.map((name) => [`${name}.md`, name])));
    const { texts: commands, notes } = await readPromptCommands(folder, own);
    expect(commands.map(({ name }) => name)).toEqual(names.slice(0, 100));
    expect(notes).toEqual([`only the first 100 commands of ${folder} are used`]);
    expect(await readPromptCommands(join(folder, 'none'), own)).toMatchObject({ texts: [], notes: [] });
  });

  test('of a project are not read through links, of the person they are', async () => {
    const folder = await folderWith({ 'secret.md': 'key' });
    await mkdir(join(folder, 'commands'));
    await symlink(join(folder, 'secret.md'), join(folder, 'commands', 'linked.md'));
    await symlink(join(folder, 'commands'), join(folder, 'link'));
    const namesIn = async (name: string, followLinks: boolean) =>
      (await readPromptCommands(join(folder, name), { followLinks })).texts.map((command) => command.name);
    expect(await namesIn('commands', false)).toEqual([]);
    await writeFile(join(folder, 'commands', 'real.md'), 'x');
    expect(await namesIn('commands', false)).toEqual(['real']);
    expect(await namesIn('link', false)).toEqual([]);
    expect(await namesIn('link', true)).toEqual(['linked', 'real']);
  });

  test('change their hash with a text, a name and a description', async () => {
    const folder = await temporaryFolder();
    const hashWith = async (name: string, text: string) => {
      await writeFile(join(folder, name), text);
      const { sha256 } = await readPromptCommands(folder, own);
      await rm(join(folder, name));
      return sha256;
    };
    const hashes = [
      await hashWith('a.md', 'x'),
      await hashWith('b.md', 'x'),
      await hashWith('a.md', 'y'),
      await hashWith('a.md', '---\ndescription: d\n---\nx'),
    ];
    expect(new Set(hashes).size).toBe(4);
    expect(await hashWith('a.md', 'x')).toBe(hashes[0]);
  });
});

test('what was typed stands in place of $ARGUMENTS, literally, and behind a text that has none', () => {
  const command = (body: string) => ({ name: 'go', description: '', body, path: '' });
  expect(promptOf(command('Do $ARGUMENTS and $ARGUMENTS.\n'), "$& $'")).toBe("Do $& $' and $& $'.");
  expect(promptOf(command('Do $ARGUMENTS now'), '')).toBe('Do  now');
  expect(promptOf(command('Do it.\n'), 'well')).toBe('Do it.\n\nwell');
  expect(promptOf(command('Do it.\n'), '')).toBe('Do it.');
  expect(withCommand('/go a\nb', [command('Do $ARGUMENTS')])).toBe('Do a\nb');
  expect(withCommand('/gone a', [command('Do $ARGUMENTS')])).toBe('/gone a');
  expect(withCommand('go a', [command('Do $ARGUMENTS')])).toBe('go a');
});
