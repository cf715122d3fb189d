import { inspect } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ModelError } from '../../packages/wire/src/model/errors.ts';
import { concealSecrets } from '../../packages/client/src/provider/secrets.ts';
import { createModelClient } from '../../packages/client/src/session/model-client.ts';
import { createModelSession, type ModelSession } from '../../packages/client/src/session/session.ts';
import { linesOf, resultOf, spawnCli } from '../cli/harness.ts';
import { refusal, startWebSocketServer } from '../transport/support/websocket-server.ts';
import {
  chatDelta,
  hello,
  modelServer,
  outcomeOf,
  providerFor,
  sse,
  status,
  stream,
  type Received,
} from './support.ts';
import { send } from './websocket-support.ts';

vi.setConfig({ testTimeout: 60_000 });

const secrets = {
  KEY: 'sk-live-0123456789',
  TENANT: 'tenant-0123456789',
  QUERY: 'query-0123456789',
  STATE: 'state-0123456789',
};

let session: ModelSession | undefined;

afterEach(async () => {
  await session?.close();
});

/** Everything that can be seen of a failure, its causes included. */
function shown(error: ModelError | undefined): string {
  return `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)} ${error?.stack}`;
}

function expectNoSecret(text: string): void {
  for (const [name, secret] of Object.entries(secrets)) {
    expect(text.includes(secret.slice(0, 12)), `${name} is shown in: ${text.slice(0, 2000)}`).toBe(false);
  }
}

const quoted = (request: Pick<Received, 'headers' | 'url'>): string =>
  `you are ${JSON.stringify(request.headers)} at ${request.url}`;

describe('a server that quotes what it was sent', () => {
  const answers: Record<string, (response: Parameters<ReturnType<typeof status>>[0], received: Received) => void> = {
    'in an error body': (response, received) => status(401, { error: { message: quoted(received) } })(response),
    'as a code': (response, received) =>
      status(400, { error: { message: 'no', code: received.headers.authorization } })(response),
    'in a body that is no JSON': (response, received) => status(500, quoted(received))(response),
    'where the text is cut short': (response, received) =>
      status(500, `${'x'.repeat(285)} ${received.headers.authorization?.slice(7)}`)(response),
    'in the stream': (response, received) =>
      stream(sse(chatDelta('a'), { error: { message: quoted(received) } }))(response),
  };

  test.each(Object.entries(answers))('%s: nobody sees it', async (_, answer) => {
    const seen: unknown[] = [];
    await using server = await modelServer(
      stream(sse(chatDelta('a'), { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }), {
        headers: { 'x-codex-turn-state': secrets.STATE },
      }),
      answer,
    );
    session = createModelSession({
      provider: providerFor(server.url, 'chat', {
        envKey: 'KEY',
        envHttpHeaders: { 'x-tenant': 'TENANT' },
        queryParams: { 'api-key': secrets.QUERY },
        askUsage: false,
        requestMaxRetries: 1,
        streamMaxRetries: 1,
      }),
      getEnv: (name) => secrets[name as keyof typeof secrets],
      random: () => 0,
      observer: {
        onTurn: () => ({ onRequest: () => ({ onAttemptFailed: (e) => seen.push(e), onEnd: (e) => seen.push(e) }) }),
      },
    });
    const turn = session.turn();
    await outcomeOf(turn.stream(hello));
    const { events, error } = await outcomeOf(turn.stream(hello));
    expect(server.requests.at(-1)?.headers['x-codex-turn-state']).toBe(secrets.STATE);
    expect(error).toBeInstanceOf(ModelError);
    expectNoSecret(`${shown(error)} ${JSON.stringify(events)} ${inspect(seen, { depth: 20 })}`);
  });

  test('over WebSocket, in a refusal and in an error frame', async () => {
    const server = await startWebSocketServer();
    session = createModelSession({
      provider: providerFor(server.url, 'responses', { supportsWebsockets: true, envKey: 'KEY' }),
      getEnv: () => secrets.KEY,
    });
    server.refuse = (socket, request) =>
      refusal(401, {}, JSON.stringify({ error: { message: `bad ${request.headers.authorization}` } }))(socket);
    const refused = await outcomeOf(session.turn().stream(hello));
    expect(refused.error?.message).toBe('bad Bearer [redacted]');
    server.refuse = undefined;
    const outcome = outcomeOf(session.turn().stream(hello));
    send(await server.socket(), {
      type: 'error',
      error: { code: 'invalid_prompt', message: `not with ${secrets.KEY}` },
    });
    const { error } = await outcome;
    expect(error?.message).toBe('not with [redacted]');
    expectNoSecret(shown(error));
    await server.close();
  });

  test.each([[['--json']], [[]]])('turnwire exec %j: neither stdout nor stderr shows it', async (flags) => {
    await using server = await modelServer(
      (response, received) => status(503, { error: { message: quoted(received) } })(response),
      (response, received) => stream(sse(chatDelta('a'), { error: { message: quoted(received) } }))(response),
      (response, received) => status(401, { error: { message: quoted(received) } })(response),
    );
    const env = { KEY: secrets.KEY };
    const args = [
      'exec',
      '--base-url',
      `${server.url}/v1?api-key=${secrets.QUERY}`,
      '--wire',
      'chat',
      '--env-key',
      'KEY',
    ];
    const child = spawnCli([...args, ...flags, 'hi'], env);
    child.stdin.end();
    const { code, stdout, stderr } = await resultOf(child);
    expect(code).toBe(1);
    expect(server.requests.length).toBe(3);
    expect(server.requests.every(({ headers }) => headers.authorization === `Bearer ${secrets.KEY}`)).toBe(true);
    expect(stdout + stderr).toContain('[redacted]');
    if (flags.length > 0) expect(linesOf(stdout).filter(({ type }) => type === 'retrying').length).toBe(2);
    expectNoSecret(stdout + stderr);
  });
});

test('a single call, as the client and the bridge make it, conceals by itself', async () => {
  await using server = await modelServer((response, received) =>
    status(401, { error: { message: quoted(received) } })(response),
  );
  const provider = providerFor(server.url, 'chat', { envKey: 'KEY' });
  const client = createModelClient({ provider, getEnv: () => secrets.KEY });
  const { error } = await outcomeOf(client.stream(hello));
  expect(error?.message).toContain('Bearer [redacted]');
  expectNoSecret(shown(error));
  await client.close();
});

describe('concealSecrets', () => {
  const error = (message: string) => new ModelError({ kind: 'unauthorized', message, status: 401, requestId: 'r1' });

  test('an error that quotes nothing stays the same object', () => {
    const plain = error('who are you');
    expect(concealSecrets(plain, ['secret-1'])).toBe(plain);
  });

  test('every occurrence, the longer of two secrets first, and the rest of the error as it was', () => {
    const concealed = concealSecrets(error('a secret-12 b secret-1 c'), ['secret-1', 'secret-12']);
    expect(concealed.toJSON()).toEqual({ ...error('a [redacted] b [redacted] c').toJSON() });
  });

  test('a short value is left alone: it would tear words apart', () => {
    expect(concealSecrets(error('a token'), ['to']).message).toBe('a token');
  });
});
