import { agent as createApp, PROTOCOL_VERSION, RequestError, type AgentApp } from '@agentclientprotocol/sdk';
import { abilitiesOf } from './abilities.ts';
import type { AcpAgentOptions } from './options.ts';
import { Sessions, type SessionOwner } from './sessions.ts';

export interface AcpAgent {
  /** Connect it to a stream (`ndJsonStream` on stdio) or, in a test, to a client app. One connection only. */
  readonly app: AgentApp;
  /** Resolves when the connection was closed and every session after it: its tools ended, its turn written down. */
  readonly ended: Promise<unknown>;
}

/**
 * An agent for editors: the Agent Client Protocol, version 1.
 *
 * @example
 * ```ts
 * import { Readable, Writable } from 'node:stream';
 * import { ndJsonStream } from '@agentclientprotocol/sdk';
 *
 * const { app, ended } = createAcpAgent({ openModel: async () => ({ port: model }), threads, version: '1.0.0' });
 * app.connect(ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin)));
 * await ended;
 * ```
 */
export function createAcpAgent(options: AcpAgentOptions): AcpAgent {
  const sessions = new Sessions(options);
  const ended = Promise.withResolvers<undefined>();
  const gone = new AbortController();
  let editor = abilitiesOf(undefined);
  const ownerOf = ({ client }: Pick<SessionOwner, 'client'>): SessionOwner => ({ client, editor, gone: gone.signal });
  const app = createApp({ name: 'turnwire' })
    .onRequest('initialize', ({ params }) => {
      editor = abilitiesOf(params.clientCapabilities);
      return { ...offer, agentInfo: { name: 'turnwire', title: 'turnwire', version: options.version } };
    })
    .onRequest('authenticate', async ({ params }) => {
      if (params.methodId !== configurationMethod.id)
        throw RequestError.invalidParams(undefined, `there is no method "${params.methodId}"`);
      await sessions.model();
      return {};
    })
    .onRequest('session/new', async ({ params, ...rest }) => {
      const session = await sessions.create(params, ownerOf(rest));
      return { sessionId: session.id, ...session.state };
    })
    .onRequest('session/load', async ({ params, ...rest }) => {
      const session = await sessions.resume(params.sessionId, params, ownerOf(rest));
      await session.tellPast();
      return session.state;
    })
    .onRequest(
      'session/resume',
      async ({ params, ...rest }) => (await sessions.resume(params.sessionId, params, ownerOf(rest))).state,
    )
    .onRequest('session/list', ({ params }) => sessions.list(params.cwd ?? undefined))
    .onRequest('session/set_mode', async ({ params }) => {
      await sessions.get(params.sessionId).setMode(params.modeId);
      return {};
    })
    .onRequest('session/set_config_option', async ({ params }) => ({
      configOptions: await sessions.get(params.sessionId).setOption(params.configId, params.value),
    }))
    .onRequest('session/prompt', ({ params, signal }) => sessions.get(params.sessionId).prompt(params.prompt, signal))
    .onNotification('session/cancel', ({ params }) => sessions.find(params.sessionId)?.cancel())
    .onRequest('session/close', async ({ params }) => {
      await sessions.close(params.sessionId);
      return {};
    })
    .onRequest('session/delete', async ({ params }) => {
      await sessions.delete(params.sessionId);
      return {};
    })
    .onConnect((connection) => {
      void connection.closed
        .then(() => gone.abort())
        .then(() => sessions.closeAll())
        .then(() => ended.resolve(undefined));
    });
  return { app, ended: ended.promise };
}

/** Nothing is signed in to: the server and its key are named in a file and a variable, which are read again. */
const configurationMethod = {
  id: 'configuration',
  name: 'Configuration of turnwire',
  description:
    'Name a model server in ~/.config/turnwire/config.toml, set the variable that its env_key names, and try again.',
};

const offer = {
  protocolVersion: PROTOCOL_VERSION,
  agentCapabilities: {
    loadSession: true,
    mcpCapabilities: { http: true },
    promptCapabilities: { image: true, embeddedContext: true },
    sessionCapabilities: { list: {}, resume: {}, close: {}, delete: {}, additionalDirectories: {} },
  },
  authMethods: [configurationMethod],
};
