import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allAnswerHeaders, passedHeaders, translatedHeaders } from '../../packages/bridge/src/request/client-kind.ts';
import { createTracer } from '../../packages/bridge/src/observe/trace.ts';
import { createExchanges } from '../../packages/bridge/src/observe/exchange.ts';
import { createAccessGuard } from '../../packages/bridge/src/front/access-guard.ts';
import { toolEnvironment } from '../../turnwire/src/cli/agent-flags.ts';
import { createProvider } from '../../packages/client/src/provider/provider.ts';
import { secretsOf } from '../../packages/client/src/provider/secrets.ts';
import { startMock, type MockServer } from '../../packages/testing/src/index.ts';
import { TapeFolder, TapeWriter } from '../../packages/testing/src/tape/writer.ts';
import { createConcealer } from '../../packages/client/src/platform/conceal.ts';
import {
  isSecretField,
  isSecretHeader,
  isSecretParameter,
  isSecretVariable,
} from '../../packages/client/src/platform/secret-names.ts';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';

const secretHeaders = [
  'authorization',
  'authentication',
  'proxy-authorization',
  'cookie',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'x-auth-token',
  'x-api-token-v2',
  'x-amz-security-token',
  'ocp-apim-subscription-key',
  'cf-access-client-secret',
  'cf-aig-authorization',
  'helicone-auth',
  'x-portkey-api-key',
  'x-session',
  'x-pat',
  'x-goog-iap-jwt-assertion',
  'x-amz-signature',
  'x-codex-turn-state',
  'x-codex-attestation',
  'chatgpt-account-id',
];

const plainHeaders = [
  'content-type',
  'user-agent',
  'session-id',
  'thread-id',
  'originator',
  'x-request-id',
  'x-client-request-id',
  'idempotency-key',
  'x-codex-turn-metadata',
  'openai-beta',
  'openai-organization',
  'anthropic-version',
  'x-stainless-lang',
  'author',
];

const secretParameters = [
  'key',
  'api_key',
  'apikey',
  'token',
  'access_token',
  'sig',
  'sas',
  'pass',
  'jwt',
  'auth',
  'X-Amz-Signature',
  'X-Amz-Credential',
  'code',
  'client_secret',
  'api%5Fkey',
];
const plainParameters = [
  'api-version',
  'include',
  'starting_after',
  'stream',
  'max_tokens',
  'monkey',
  'keyboard',
  'limit',
];

const secretFields = [
  'api_key',
  'apiKey',
  'APIKey',
  'api-key',
  'apikey',
  'api\\u005fkey',
  'openaiApiKey',
  'authorization',
  'auth',
  'secret',
  'token',
  'accessToken',
  'access_token',
  'refresh_token',
  'id_token',
  'clientSecret',
  'client_secret',
  'privateKey',
  'access_key',
  'accessKeyId',
  'bearer',
  'password',
  'pwd',
  'db_pass',
  'X-Custom-Auth',
  'Helicone-Auth',
  'x-codex-turn-state',
  'cookie',
  'github_pat',
  'jwt',
  'credentials',
];
const plainFields = [
  'key',
  'keys',
  'key_points',
  'prompt_cache_key',
  'idempotency_key',
  'primaryKey',
  'public_key',
  'tokens',
  'max_tokens',
  'max_output_tokens',
  'completion_tokens',
  'token_count',
  'tokenCount',
  'stop_token_ids',
  'token_type',
  'token_logprobs',
  'tokenizer',
  'authorization_endpoint',
  'author',
  'tool_choice',
  'session_id',
  'signature',
  'code',
  'pass',
  'pattern',
  'encrypted_content',
  'safety_identifier',
  'env_key',
  'model',
];

const secretVariables = [
  'OPENAI_API_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'GITHUB_TOKEN',
  'GITHUB_PAT',
  'MY_PASS',
  'MYSQL_PWD',
  'PGPASSWORD',
  'DBPASS',
  'NPM_CONFIG__AUTH',
  'NPM_TOKEN',
  'SSH_AUTH_SOCK',
  'REDISCLI_AUTH',
  'DOCKER_AUTH_CONFIG',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'APIKEY',
  'MYTOKEN',
  'SESSION_SECRET',
  'CLIENTSECRET',
];
const plainVariables = [
  'PATH',
  'HOME',
  'PWD',
  'OLDPWD',
  'LANG',
  'TERM',
  'TOKENIZERS_PARALLELISM',
  'KEYBOARD',
  'GIT_AUTHOR_NAME',
  'GIT_AUTHOR_EMAIL',
  'XDG_SESSION_ID',
  'DESKTOP_SESSION',
  'MAX_TOKENS',
  'NODE_OPTIONS',
  'COMPASS',
  'EDITOR',
];

describe('a name says whether its value is a secret', () => {
  it.each([
    [
      'header',
      isSecretHeader,
      [...secretHeaders, 'set-cookie'],
      [
        ...plainHeaders,
        'x-ratelimit-remaining-tokens',
        'anthropic-ratelimit-input-tokens-reset',
        'access-control-allow-credentials',
        'sec-websocket-key',
      ],
    ],
    ['parameter', isSecretParameter, secretParameters, plainParameters],
    ['field', isSecretField, secretFields, plainFields],
    ['variable', isSecretVariable, secretVariables, plainVariables],
  ])('%s', (_place, isSecret, secret, plain) => {
    expect(secret.filter((name) => !isSecret(name))).toEqual([]);
    expect(plain.filter((name) => isSecret(name))).toEqual([]);
  });
});

/** A value of its own for each name, so that one which gets through is known by it. */
const valueOf = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 24);
const parameter = (name: string): string => `parameter ${name}`;
const planted = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, valueOf(name)]));
const seenIn = (text: string, names: readonly string[]) => names.filter((name) => text.includes(valueOf(name)));

const body = `{${[...secretFields, ...plainFields].map((name) => `"${name}":"${valueOf(name)}"`).join(',')}}`;
const query = [...secretParameters, ...plainParameters].map((name) => `${name}=${valueOf(parameter(name))}`).join('&');
const headers = planted([...secretHeaders, ...plainHeaders]);

describe('every user of the names', () => {
  let folder: string;
  let mock: MockServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'turnwire-secrets-'));
    mock = await startMock();
  });
  afterAll(async () => {
    await mock.close();
    await rm(folder, { recursive: true });
  });

  it.each([
    ['a request', body],
    ['a request within a string', JSON.stringify({ arguments: JSON.stringify({ more: body }) })],
  ])('tapes: %s', async (name, text) => {
    const tapes = new TapeFolder(join(folder, name));
    const at = new Date(0).toISOString();
    const request = {
      at,
      method: 'POST',
      target: `/v1/x?${query}`,
      headers: Object.entries(headers),
      body: Buffer.from(text),
    };
    const tape = new TapeWriter(tapes, request, 'http', {
      clock: systemClock,
      onProblem: (message) => expect.fail(message),
    });
    tape.response(200, 'OK', []);
    for (const byte of Buffer.from(`data: {"x":${text}}\n\n`)) tape.chunk(Uint8Array.of(byte));
    tape.end({ how: 'complete' });
    const lines = (await readFile(join(tapes.path, tape.file), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { text?: string; request?: { body: { text: string } } });
    const kept =
      JSON.stringify(lines) + lines.map((line) => line.text ?? '').join('') + (lines[0]?.request?.body.text ?? '');
    expect(seenIn(kept, [...secretHeaders, ...secretFields])).toEqual([]);
    expect(seenIn(kept, secretParameters.map(parameter))).toEqual([]);
    expect(seenIn(kept, [...plainHeaders, ...plainFields, ...plainParameters.map(parameter)])).toEqual([
      ...plainHeaders,
      ...plainFields,
      ...plainParameters.map(parameter),
    ]);
  });

  it('traces', async () => {
    const traces = join(folder, 'traces');
    const request = {
      method: 'POST',
      url: `/v1/x?${query}`,
      headers,
      body: JSON.parse(body) as Record<string, string>,
    };
    const tracer = createTracer(traces, { clock: systemClock, onError: (error) => expect.fail(error.message) });
    const exchange = createExchanges(systemClock, [tracer.observe])({ id: 'one', route: 'responses', ...request });
    exchange.onRequest({ route: 'responses_sse', wire: 'responses', size: 0, body: () => request.body });
    exchange.onChunk?.(Buffer.from(body));
    exchange.onSent([{ type: 'x', data: body }]);
    exchange.told(body);
    exchange.onRepair('skipped_event', body);
    exchange.onEnd({ how: 'completed' });
    await expect.poll(async () => (await readFile(join(traces, 'one.jsonl'), 'utf8')).split('\n')).toHaveLength(7);
    const kept = await readFile(join(traces, 'one.jsonl'), 'utf8');
    expect(await readdir(traces)).toEqual(['one.jsonl']);
    expect(seenIn(kept, [...secretHeaders, ...secretFields])).toEqual([]);
    expect(seenIn(kept, [...plainHeaders, ...plainFields])).toEqual([...plainHeaders, ...plainFields]);
  });

  it('what the mock was asked', async () => {
    await fetch(`${mock.baseUrl}/chat/completions?${query}`, { method: 'POST', headers, body });
    const kept = await (await fetch(`${mock.url}/__requests`)).text();
    expect(seenIn(kept, [...secretHeaders, ...secretFields])).toEqual([]);
    expect(seenIn(kept, secretParameters.map(parameter))).toEqual([]);
    expect(seenIn(kept, ['originator', ...plainFields])).toEqual(['originator', ...plainFields]);
  });

  it('errors of the client', () => {
    const config = {
      name: 'p',
      baseUrl: 'http://127.0.0.1/v1',
      wireApi: 'chat',
      httpHeaders: planted(secretHeaders),
      queryParams: planted(['key', 'sig']),
    } as const;
    const conceal = createConcealer(secretsOf(createProvider(config), () => undefined));
    const quoted = [...secretHeaders, 'key', 'sig'].map(valueOf).join(' and ');
    expect(seenIn(conceal(quoted), [...secretHeaders, 'key', 'sig'])).toEqual([]);
  });

  it('what the bridge hands on to its upstream, and lets in', () => {
    expect(Object.keys(passedHeaders(headers))).toEqual(plainHeaders);
    expect(seenIn(JSON.stringify(translatedHeaders(headers)), secretHeaders)).toEqual([]);
    const gate = createAccessGuard({ host: '127.0.0.1' });
    const statusOf = (name: string) =>
      gate({ method: 'GET', url: `/v1/models?${name}=1`, headers: { host: '127.0.0.1' } })?.code;
    expect(secretParameters.map(statusOf)).toEqual(secretParameters.map(() => 'key_in_url'));
    expect(plainParameters.map(statusOf)).toEqual(plainParameters.map(() => undefined));
  });

  it("what the bridge hands back of its upstream's headers", () => {
    const key = 'sk-upstream-0123456789';
    const conceal = createConcealer([key]);
    const basic = Buffer.from(`user:${key}`).toString('base64');
    const answer = {
      'www-authenticate': `Bearer error="${key}"`,
      'x-echo': [`Basic ${basic}`, key.slice(4, 18)],
      'set-cookie': ['a=b'],
    };
    expect(allAnswerHeaders(answer, conceal)).toEqual({
      'www-authenticate': 'Bearer error="[redacted]"',
      'x-echo': expect.stringMatching(/^Basic dXNlc[\w]{0,4}\[redacted\][\w=]{0,3}, \[redacted\]$/) as string,
    });
  });

  it('the environment of the commands of a model', () => {
    const env = {
      ...planted([...secretVariables, ...plainVariables]),
      DATABASE_URL: 'postgres://u:p@h/db',
      WORDS: 'Bearer of news',
      HEADER: 'x',
      OF_MCP: 'y',
      KEPT: 'http://h/x',
    };
    const left = toolEnvironment(env, { envKey: 'EDITOR', envHttpHeaders: { 'x-a': 'HEADER' } }, ['OF_MCP']);
    expect(Object.keys(left)).toEqual([...plainVariables.filter((name) => name !== 'EDITOR'), 'WORDS', 'KEPT']);
  });
});
