import type { SessionConfigOption } from '@agentclientprotocol/sdk';
import { expect, test } from 'vitest';
import { answer, call, calls, usage } from '../agent/scripted-model.ts';
import { withEditor } from './setup.ts';

const chosen = (options: readonly SessionConfigOption[] | null | undefined) =>
  Object.fromEntries((options ?? []).map(({ id, currentValue }) => [id, currentValue]));
const valuesOf = (options: readonly SessionConfigOption[] | null | undefined, id: string) => {
  const option = options?.find((one) => one.id === id);
  return option?.type === 'select' ? option.options.map((one) => ('value' in one ? one.value : one.group)) : [];
};

test('mode, model and effort are options; what is chosen goes with the next prompt', async () => {
  await withEditor(
    [answer('a'), answer('b'), answer('c')],
    async ({ editor, context, cwd, model, prompt }) => {
      const { sessionId, configOptions } = await context.request('session/new', { cwd, mcpServers: [] });
      expect(chosen(configOptions)).toEqual({ mode: 'ask', model: 'default', effort: 'default' });
      expect(configOptions?.map(({ category }) => category)).toEqual(['mode', 'model', 'thought_level']);
      await prompt(sessionId);
      const set = (configId: string, value: string) =>
        context.request('session/set_config_option', { sessionId, configId, value });
      expect(chosen((await set('model', 'big')).configOptions)).toMatchObject({ model: 'big' });
      await set('effort', 'high');
      await prompt(sessionId);
      await set('model', 'default');
      await set('effort', 'default');
      await prompt(sessionId);
      expect(model.requests.map((request) => [request.model, request.reasoning])).toEqual([
        [undefined, undefined],
        ['big', { effort: 'high' }],
        [undefined, undefined],
      ]);
      for (const [id, value] of [
        ['model', 'unheard of'],
        ['speed', 'fast'],
        ['mode', 'yolo'],
      ] as const) {
        await expect(set(id, value)).rejects.toMatchObject({ code: -32602 });
      }
      const told = editor.updates.filter((update) => update.sessionUpdate === 'config_option_update');
      expect(told.map(({ configOptions }) => valuesOf(configOptions, 'model'))).toEqual([['default', 'big', 'small']]);
    },
    { models: () => Promise.resolve([{ id: 'big' }, { id: 'small' }]) },
  );
});

test('the mode is the same whether it is set as a mode or as an option, and each is told of', async () => {
  const write = calls(call('shell', { command: 'touch made' }));
  await withEditor([write, answer('done')], async ({ editor, context, newSession, prompt }) => {
    const sessionId = await newSession();
    await context.request('session/set_config_option', { sessionId, configId: 'mode', value: 'auto' });
    await prompt(sessionId);
    expect(editor.toolSteps().at(-1)).toBe('call_1 completed');
    expect(editor.questions).toEqual([]);
    await context.request('session/set_mode', { sessionId, modeId: 'read-only' });
    const told = editor.updates.flatMap((update) => {
      if (update.sessionUpdate === 'current_mode_update') return [update.currentModeId];
      return update.sessionUpdate === 'config_option_update' ? [chosen(update.configOptions).mode] : [];
    });
    expect(told).toEqual(['auto', 'read-only']);
  });
});

test('a server that cannot tell its models, and one that never does, hold nothing up', async () => {
  for (const models of [() => Promise.reject(new Error('down')), () => new Promise<never>(() => undefined)]) {
    await withEditor(
      [answer('a')],
      async ({ newSession, prompt }) => {
        expect(await prompt(await newSession())).toBe('end_turn');
      },
      { models },
    );
  }
});

test('the window is that of the model which is chosen', async () => {
  const listed = [{ id: 'big', contextWindow: 9000 }, { id: 'small' }];
  await withEditor(
    [answer('a', { usage }), answer('b', { usage }), answer('c', { usage })],
    async ({ editor, context, newSession, prompt }) => {
      const sessionId = await newSession();
      await prompt(sessionId);
      for (const value of ['big', 'small']) {
        await context.request('session/set_config_option', { sessionId, configId: 'model', value });
        await prompt(sessionId);
      }
      const sizes = editor.updates.flatMap((update) => (update.sessionUpdate === 'usage_update' ? [update.size] : []));
      expect(sizes).toEqual([500, 9000]);
    },
    { models: () => Promise.resolve(listed), contextWindow: 500 },
  );
});

test('a conversation is resumed without being told again, and deleted for good', async () => {
  await withEditor([answer('one'), answer('two')], async ({ editor, context, cwd, model, newSession, prompt }) => {
    const sessionId = await newSession();
    await prompt(sessionId, 'first');
    await context.request('session/close', { sessionId });
    editor.updates.length = 0;
    const resumed = await context.request('session/resume', { sessionId, cwd });
    expect([resumed.modes?.currentModeId, chosen(resumed.configOptions).mode]).toEqual(['ask', 'ask']);
    await prompt(sessionId, 'second');
    expect([editor.text('user_message_chunk'), editor.text()]).toEqual(['', 'two']);
    expect(JSON.stringify(model.requests[1]!.input)).toContain('first');
    expect((await context.request('session/list', {})).sessions).toHaveLength(1);
    await context.request('session/delete', { sessionId });
    await context.request('session/delete', { sessionId });
    expect((await context.request('session/list', {})).sessions).toEqual([]);
    await expect(context.request('session/resume', { sessionId, cwd })).rejects.toMatchObject({ code: -32002 });
  });
});
