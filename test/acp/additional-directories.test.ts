import { mkdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ThreadStore } from '../../packages/agent/src/index.ts';
import { temporaryFolder } from '../agent/helpers.ts';
import { answer, call, calls } from '../agent/scripted-model.ts';
import { withEditor } from './setup.ts';

const folder = async () => realpath(await temporaryFolder());

test('files of an additional directory are read unasked, and the session keeps it until it is loaded without', async () => {
  const [library, threads] = [await folder(), new ThreadStore(await folder())];
  const file = join(library, 'a.txt');
  await writeFile(file, 'of the library\n');
  const reads = () => calls(call('read_file', { path: file }));
  await withEditor(
    [reads(), answer('first'), reads(), answer('second'), reads(), answer('third')],
    async ({ context, cwd, editor, model, prompt }) => {
      const listed = async () =>
        (await context.request('session/list', {})).sessions.map((one) => one.additionalDirectories);
      const additionalDirectories = [library];
      const { sessionId } = await context.request('session/new', { cwd, mcpServers: [], additionalDirectories });
      await prompt(sessionId);
      expect(editor.questions).toEqual([]);
      expect(JSON.stringify(model.requests[1]!.input)).toContain('of the library');
      expect(model.requests[0]!.instructions).toContain(JSON.stringify(library));
      expect(await listed()).toEqual([[library]]);
      await context.request('session/load', { sessionId, cwd, mcpServers: [] });
      await prompt(sessionId);
      expect(editor.questions.map(({ toolCall }) => toolCall.title)).toEqual([`read ${file}`]);
      expect(model.requests[2]!.instructions).not.toContain(library);
      expect(await listed()).toEqual([[]]);
      await context.request('session/close', { sessionId });
      expect(await listed()).toEqual([[library]]);
      await context.request('session/resume', { sessionId, cwd, mcpServers: [], additionalDirectories });
      await prompt(sessionId);
      expect(editor.questions).toHaveLength(1);
    },
    { threads },
  );
});

test('one that cannot be used is an error that names it, and leaves no session', async () => {
  await withEditor([], async ({ context, cwd }) => {
    for (const path of ['relative', join(cwd, 'gone')])
      await expect(
        context.request('session/new', { cwd, mcpServers: [], additionalDirectories: [path] }),
      ).rejects.toMatchObject({
        code: -32602,
        message: expect.stringContaining(JSON.stringify(path)) as unknown,
      });
    expect((await context.request('session/list', {})).sessions).toEqual([]);
  });
});

test('an editor that has the files is asked for those there, by the names that it gave', async () => {
  const [cwd, library] = [await folder(), await folder()];
  const name = `${library}-link`;
  await symlink(library, name);
  await mkdir(join(library, 'sub'));
  await writeFile(join(library, 'sub', 'a.txt'), 'saved\n');
  const asked: string[] = [];
  await withEditor(
    [calls(call('read_file', { path: join(library, 'sub', 'a.txt') })), answer('done')],
    async ({ context, model, prompt }) => {
      const more = { mcpServers: [], additionalDirectories: [name] };
      const { sessionId } = await context.request('session/new', { cwd, ...more });
      await prompt(sessionId);
      expect(asked).toEqual([join(name, 'sub', 'a.txt')]);
      expect(JSON.stringify(model.requests[1]!.input)).toContain('unsaved');
    },
    {
      cwd,
      capabilities: { fs: { readTextFile: true, writeTextFile: true } },
      prepare: (editor) => {
        editor.app.onRequest('fs/read_text_file', async ({ params: { path } }) => {
          asked.push(path);
          return { content: `un${await readFile(path, 'utf8')}` };
        });
      },
    },
  );
});
