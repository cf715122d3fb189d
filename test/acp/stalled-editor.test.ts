import { join } from 'node:path';
import { PROTOCOL_VERSION, type AnyMessage } from '@agentclientprotocol/sdk';
import { expect, test } from 'vitest';
import { createAcpAgent } from '../../turnwire/src/acp/index.ts';
import { ThreadStore } from '../../packages/agent/src/index.ts';
import { temporaryFolder } from '../agent/helpers.ts';
import { answer, ScriptedModel } from '../agent/scripted-model.ts';

/** An editor that reads nothing any more once the model's text comes, and closes its end then. */
function stallingEditor() {
  const { readable, writable } = new TransformStream<AnyMessage, AnyMessage>();
  const requests = writable.getWriter();
  const results = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  const stalled = Promise.withResolvers<undefined>();
  const resultOf = (id: number) => results.get(id) ?? results.set(id, Promise.withResolvers()).get(id)!;
  const responses = new WritableStream<AnyMessage>({
    write(message) {
      if ('result' in message) resultOf(Number(message.id)).resolve(message.result as Record<string, unknown>);
      if (!JSON.stringify(message).includes('agent_message_chunk')) return undefined;
      stalled.resolve(undefined);
      return new Promise<never>(() => undefined);
    },
  });
  return {
    stream: { readable, writable: responses },
    stalled: stalled.promise,
    request: (id: number, method: string, params: object) => {
      void requests.write({ jsonrpc: '2.0', id, method, params });
      return resultOf(id).promise;
    },
    close: () => requests.close(),
  };
}

test('an editor that stops reading in the middle of an answer and goes holds nothing up', async () => {
  const cwd = await temporaryFolder();
  const threads = new ThreadStore(join(cwd, '.threads'));
  const port = new ScriptedModel(answer('a long answer'));
  const { app, ended } = createAcpAgent({ openModel: () => Promise.resolve({ port }), threads, version: '1.2.3' });
  const editor = stallingEditor();
  app.connect(editor.stream);
  await editor.request(0, 'initialize', { protocolVersion: PROTOCOL_VERSION });
  const { sessionId } = await editor.request(1, 'session/new', { cwd, mcpServers: [] });
  void editor.request(2, 'session/prompt', { sessionId, prompt: [{ type: 'text', text: 'go' }] });
  await editor.stalled;
  await editor.close();
  await ended;
  // Nobody has the conversation any more, and it is whole.
  const thread = await threads.resume(String(sessionId));
  await thread.claim();
  expect(thread.turns).toBe(1);
  await thread.release();
});
