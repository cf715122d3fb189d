import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RequestError } from '@agentclientprotocol/sdk';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../agent/helpers.ts';
import { answer, call, calls } from '../agent/scripted-model.ts';
import type { Editor } from './client.ts';
import { withEditor } from './setup.ts';

const both = { fs: { readTextFile: true, writeTextFile: true } };

/** Unsaved texts of an editor, by path. It saves what it is given, as editors do. */
function openBuffers(editor: Editor, texts: Record<string, string>, refused?: string) {
  const requests: string[] = [];
  const unsaved = new Map(Object.entries(texts));
  editor.app
    .onRequest('fs/read_text_file', async ({ params: { path } }) => {
      requests.push(`read ${path}`);
      return { content: unsaved.get(path) ?? (await readFile(path, 'utf8')) };
    })
    .onRequest('fs/write_text_file', async ({ params: { path, content } }) => {
      requests.push(`write ${path}`);
      if (path === refused) throw RequestError.internalError(undefined, 'no room');
      unsaved.delete(path);
      await writeFile(path, content);
      return {};
    });
  return requests;
}

const patchOf = (...lines: string[]) => ({ input: ['*** Begin Patch', ...lines, '*** End Patch'].join('\n') });

test('reads what is not saved yet, patches it, and takes the patch back, all through the editor', async () => {
  const real = await temporaryFolder();
  const cwd = `${real}-link`;
  await symlink(real, cwd);
  await writeFile(join(real, 'a.txt'), 'saved\n');
  const [a, b] = [join(cwd, 'a.txt'), join(cwd, 'sub', 'b.txt')];
  let requests: string[] = [];
  await withEditor(
    [
      calls(call('read_file', { path: 'a.txt' }, 'one')),
      calls(
        call(
          'apply_patch',
          patchOf('*** Update File: a.txt', '@@', '-unsaved', '+patched', '*** Add File: sub/b.txt', '+new'),
          'two',
        ),
      ),
      answer('done'),
    ],
    async ({ editor, model, newSession, prompt }) => {
      editor.answer = 'once';
      const id = await newSession();
      await prompt(id);
      expect(JSON.stringify(model.requests[1]!.input)).toContain('unsaved');
      expect([await readFile(a, 'utf8'), await readFile(b, 'utf8')]).toEqual(['patched\n', 'new\n']);
      expect(requests[0]).toBe(`read ${a}`);
      expect(requests.filter((one) => one.startsWith('write'))).toEqual([`write ${a}`, `write ${b}`]);
      await prompt(id, '/undo');
      expect(await readFile(a, 'utf8')).toBe('unsaved\n');
      expect(await readdir(join(real, 'sub'))).toEqual([]);
      expect(requests.at(-1)).toBe(`write ${a}`);
      expect(editor.text()).toBe('doneTaken back: patch a.txt, sub/b.txt.');
    },
    {
      cwd,
      capabilities: both,
      prepare: (editor) => {
        requests = openBuffers(editor, { [a]: 'unsaved\n' });
      },
    },
  );
});

test('an editor that cannot write leaves all files as they were, also those that are patched on the disk', async () => {
  const cwd = await temporaryFolder();
  const outside = join(await temporaryFolder(), 'c.txt');
  const [a, b] = [join(cwd, 'a.txt'), join(cwd, 'b.txt')];
  for (const path of [a, b, outside]) await writeFile(path, 'old\n');
  const update = (path: string) => [`*** Update File: ${path}`, '@@', '-old', '+new'];
  let requests: string[] = [];
  await withEditor(
    [calls(call('apply_patch', patchOf(...update(outside), ...update(a), ...update(b)))), answer('done')],
    async ({ editor, model, newSession, prompt }) => {
      editor.answer = 'once';
      await prompt(await newSession());
      expect(JSON.stringify(model.requests[1]!.input)).toContain('no room');
      expect(await Promise.all([a, b, outside].map((path) => readFile(path, 'utf8')))).toEqual([
        'old\n',
        'old\n',
        'old\n',
      ]);
      expect(requests.join()).not.toContain(outside);
    },
    { cwd, capabilities: both, prepare: (editor) => (requests = openBuffers(editor, {}, b)) },
  );
});

test('an editor that can do one of both alone is asked for neither', async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'sub'));
  await writeFile(join(cwd, 'a.txt'), 'saved\n');
  for (const fs of [{ readTextFile: true }, { writeTextFile: true }]) {
    let requests: string[] = [];
    await withEditor(
      [calls(call('read_file', { path: 'a.txt' })), answer('done')],
      async ({ model, newSession, prompt }) => {
        await prompt(await newSession());
        expect(JSON.stringify(model.requests[1]!.input)).toContain('saved');
        expect(requests).toEqual([]);
      },
      { cwd, capabilities: { fs }, prepare: (editor) => (requests = openBuffers(editor, { 'a.txt': 'unsaved\n' })) },
    );
  }
});
