import { join } from 'node:path';
import { PROTOCOL_VERSION, type ClientCapabilities, type ClientContext } from '@agentclientprotocol/sdk';
import { createAcpAgent, type AcpAgentOptions, type AcpModel } from '../../turnwire/src/acp/index.ts';
import { ThreadStore } from '../../packages/agent/src/index.ts';
import { temporaryFolder } from '../agent/helpers.ts';
import { ScriptedModel, type Step } from '../agent/scripted-model.ts';
import { Editor } from './client.ts';

interface Setup {
  readonly editor: Editor;
  readonly cwd: string;
  readonly model: ScriptedModel;
  readonly context: ClientContext;
}

/** An editor that is connected to an agent whose model plays the scripts. */
export async function withEditor(
  scripts: Step[][],
  work: (
    setup: Setup & { newSession: () => Promise<string>; prompt: (id: string, text?: string) => Promise<string> },
  ) => Promise<void>,
  more: Partial<AcpAgentOptions> &
    Pick<AcpModel, 'models' | 'contextWindow'> &
    Partial<Pick<Setup, 'cwd'>> & { capabilities?: ClientCapabilities; prepare?: (editor: Editor) => void } = {},
): Promise<void> {
  const cwd = more.cwd ?? (await temporaryFolder());
  const model = new ScriptedModel(...scripts);
  const threads = new ThreadStore(join(cwd, '.threads'));
  const { models, contextWindow, capabilities = {}, prepare, ...options } = more;
  const openModel = () => Promise.resolve({ port: model, env: { PATH: '/usr/bin:/bin' }, models, contextWindow });
  const { app } = createAcpAgent({ openModel, threads, version: '1.2.3', ...options });
  const editor = new Editor();
  prepare?.(editor);
  await editor.app.connectWith(app, async (context) => {
    await context.request('initialize', { protocolVersion: PROTOCOL_VERSION, clientCapabilities: capabilities });
    await work({
      editor,
      cwd,
      model,
      context,
      newSession: async () => (await context.request('session/new', { cwd, mcpServers: [] })).sessionId,
      prompt: async (sessionId, text = 'go') =>
        (await context.request('session/prompt', { sessionId, prompt: [{ type: 'text', text }] })).stopReason,
    });
  });
}
