import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createTools, readSkills, type AgentTool } from '../../packages/agent/src/index.ts';
import { temporaryFolder } from './helpers.ts';

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

const run = { signal: new AbortController().signal, output: () => undefined };

async function readSkill(tool: AgentTool | undefined, value: object): Promise<unknown> {
  const plan = await tool?.plan({ type: 'json', value }, run);
  return { title: plan?.title, approval: plan?.approval, ...(await plan?.run(run)) };
}

const released = '---\nname: release\ndescription: |\n  How a version\n  is released\n---\nRead `steps.md`.\n';

describe('skills', () => {
  test('are folders with a SKILL.md that has a description; what cannot be used is told', async () => {
    const folder = await folderWith({
      'release/SKILL.md': released,
      'release/steps.md': 'Tag it.',
      'empty/other.md': 'x',
      'unsaid/SKILL.md': 'Text',
      'long/SKILL.md': `---\ndescription: ${'x'.repeat(1025)}\n---\nText`,
      'named/SKILL.md': '---\nname: other\ndescription: d\n---\nText',
      'README.md': 'no skill',
    });
    const { texts, notes } = await readSkills(folder, { followLinks: true });
    expect(texts).toEqual([
      {
        name: 'release',
        description: 'How a version is released',
        body: 'Read `steps.md`.\n',
        folder: join(folder, 'release'),
      },
    ]);
    const note = (name: string, why: string) => `the skill ${join(folder, name, 'SKILL.md')} is not used: ${why}`;
    expect(notes).toEqual([
      note('long', 'its description has more than 1024 characters'),
      note('named', 'its name is not that of its folder'),
      note('unsaid', 'its front matter has no description'),
    ]);
  });

  test('are named in the description of read_skill, which reads them and the files in their folders, and no others', async () => {
    const folder = await folderWith({
      'release/SKILL.md': released,
      'release/steps.md': 'Tag it.',
      'key.txt': 'secret',
    });
    await writeFile(join(folder, 'release', 'large.md'), 'x'.repeat(64 * 1024 + 1));
    await symlink(join(folder, 'key.txt'), join(folder, 'release', 'link.txt'));
    const { texts: skills } = await readSkills(folder, { followLinks: true });
    // What was trusted is what is read.
    await writeFile(join(folder, 'release', 'SKILL.md'), 'Changed');
    const cwd = await temporaryFolder();
    const tool = (await createTools({ cwd, select: 'read', skills })).find(({ name }) => name === 'read_skill');
    expect(tool?.description.split('\n').slice(1)).toEqual(['- release: How a version is released']);
    expect(await readSkill(tool, { name: 'release' })).toEqual({
      title: 'read the skill release',
      approval: undefined,
      output: `[skill in ${join(folder, 'release')}]\nRead \`steps.md\`.`,
      ok: true,
    });
    const fileOf = async (file: string) => {
      const { output, ok } = (await readSkill(tool, { name: 'release', file })) as { output: string; ok: boolean };
      return [output, ok];
    };
    expect(await fileOf('steps.md')).toEqual(['Tag it.', true]);
    expect(await fileOf('large.md')).toEqual([`${'x'.repeat(64 * 1024)}\n[… cut: it is longer than 64 KiB]`, true]);
    for (const file of ['../key.txt', join(folder, 'key.txt'), 'link.txt', 'none.md'])
      expect(await fileOf(file)).toEqual([`the skill release has no file ${file}`, false]);
    expect(await fileOf('.')).toEqual(['. is empty, no text, or cannot be read', false]);
    await expect(readSkill(tool, { name: 'gone' })).rejects.toThrow('there is no skill gone; there are release');
  });

  test('that are none add no tool', async () => {
    const cwd = await temporaryFolder();
    const names = async (select: 'read' | 'all', skills: Parameters<typeof createTools>[0]['skills'] = []) =>
      (await createTools({ cwd, select, skills })).map(({ name }) => name);
    expect(await names('read')).not.toContain('read_skill');
    const skill = { name: 'a', description: 'b', body: 'c', folder: cwd };
    expect(await names('all', [skill])).toContain('read_skill');
  });
});
