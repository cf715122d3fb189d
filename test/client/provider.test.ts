import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { parseProviders, type ProviderFileOptions } from '../../packages/client/src/provider/provider-file.ts';
import {
  missingKeyVariable,
  requestHeaders,
  requestUrl,
  websocketUrl,
} from '../../packages/client/src/provider/provider-request.ts';
import { ConfigError } from '../../packages/client/src/provider/config-fields.ts';
import { createProvider, providerDefaults, type ProviderOptions } from '../../packages/client/src/provider/provider.ts';

const baseUrl = 'http://127.0.0.1:8080/v1';

function parsed(toml: string, options?: ProviderFileOptions): ReturnType<typeof parseProviders> {
  return parseProviders(parse(toml), options);
}

function complaint(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  return 'nothing was thrown';
}

const complaintOfToml = (toml: string): string => complaint(() => parsed(toml));
const complaintOfOptions = (options: Partial<ProviderOptions>): string =>
  complaint(() => createProvider({ baseUrl, ...options }));

describe('createProvider', () => {
  test('fills in every default', () => {
    expect(createProvider({ baseUrl })).toEqual({
      ...providerDefaults,
      name: baseUrl,
      baseUrl,
      firstByteTimeoutMs: 300_000,
    });
  });

  test('the first byte may take as long as the idle timeout unless it has its own', () => {
    expect(createProvider({ baseUrl, streamIdleTimeoutMs: 700 }).firstByteTimeoutMs).toBe(700);
    expect(createProvider({ baseUrl, streamIdleTimeoutMs: 700, firstByteTimeoutMs: 5 }).firstByteTimeoutMs).toBe(5);
  });

  test('caps both kinds of retries at 100', () => {
    const provider = createProvider({ baseUrl, requestMaxRetries: 101, streamMaxRetries: 1e9 });
    expect([provider.requestMaxRetries, provider.streamMaxRetries]).toEqual([100, 100]);
  });

  test('an option that is undefined is not given', () => {
    expect(createProvider({ baseUrl, envKey: undefined, model: undefined })).toEqual(createProvider({ baseUrl }));
  });

  test.each([
    ['http://host/v1/chat/completions', 'http://host/v1'],
    ['http://host/v1/responses/', 'http://host/v1'],
    ['https://host/v1/messages?beta=true', 'https://host/v1?beta=true'],
    ['https://host/responses', 'https://host'],
    ['https://host/v1/models', 'https://host/v1'],
    ['https://host/models', 'https://host/models'],
    ['https://host/v1/', 'https://host/v1/'],
  ])('of the endpoint %s the base URL is %s', (given, taken) => {
    expect(createProvider({ baseUrl: given }).baseUrl).toBe(taken);
  });

  test.each([
    ['localhost:8080', 'http://localhost:8080'],
    [' :8080 ', 'http://127.0.0.1:8080'],
    ['127.0.0.1:8080/v1/chat/completions', 'http://127.0.0.1:8080/v1'],
    ['[::1]:8080?a=b', 'http://[::1]:8080?a=b'],
  ])('%s of this machine is taken for %s', (given, taken) => {
    expect(createProvider({ baseUrl: given }).baseUrl).toBe(taken);
  });

  test.each([
    [{ baseUrl: 'example.com' }, 'baseUrl must be an http:// or https:// URL: did you mean https://example.com?'],
    [{ baseUrl: 'ftp://example.com' }, 'baseUrl must be an http:// or https:// URL'],
    [{ baseUrl: 'gpu:8080/v1' }, 'baseUrl must be an http:// or https:// URL: did you mean http://gpu:8080/v1?'],
    [{ baseUrl: 'sk-proj-abcdefghijklmnopqrstuvwxyz0123.com' }, 'baseUrl must be an http:// or https:// URL'],
    [{ baseUrl: undefined }, 'baseUrl must be a string'],
    [{ name: '' }, 'name must not be empty'],
    [{ wireApi: 'grpc' }, 'wireApi must be "chat" or "responses" or "messages"'],
    [{ model: null }, 'model must be a string'],
    [{ envKey: '' }, 'envKey must not be empty'],
    [{ streamIdleTimeoutMs: -1 }, 'streamIdleTimeoutMs must not be negative'],
    [{ connectTimeoutMs: 1.5 }, 'connectTimeoutMs must be a whole number of milliseconds'],
    [{ connectTimeoutMs: '5' }, 'connectTimeoutMs must be a whole number of milliseconds'],
    [{ totalTimeoutMs: 2 ** 31 }, 'totalTimeoutMs must be at most 2147483647'],
    [{ requestMaxRetries: Infinity }, 'requestMaxRetries must be a whole number'],
    [{ streamMaxRetries: -1 }, 'streamMaxRetries must not be negative'],
    [{ supportsWebsockets: 1 }, 'supportsWebsockets must be true or false'],
    [{ onClose: 'retry' }, 'onClose must be "error" or "complete"'],
    [{ thinkTags: 'yes' }, 'thinkTags must be true, false or "opened"'],
    [{ contextWindow: 0 }, 'contextWindow must be at least 1'],
    [{ maxOutputTokens: 0 }, 'maxOutputTokens must be at least 1'],
    [{ maxEventBytes: NaN }, 'maxEventBytes must be a whole number'],
    [{ queryParams: ['a'] }, 'queryParams must be a table of strings'],
    [{ queryParams: { a: null } }, 'queryParams.a must be a string'],
    [{ httpHeaders: { 'bad name': 'x' } }, 'httpHeaders has a name that no header can have'],
    [{ envHttpHeaders: { 'bad name': 'X' } }, 'envHttpHeaders has a name that no header can have'],
  ])('%j is refused', (options, message) => {
    expect(complaintOfOptions(options as Partial<ProviderOptions>)).toBe(message);
  });

  test('headers in an object that would look empty are refused', () => {
    const httpHeaders = new Headers({ 'x-one': '1' }) as unknown as Record<string, string>;
    expect(complaintOfOptions({ httpHeaders })).toBe('httpHeaders must be a table of strings');
  });

  test('a table is copied: what the caller writes into it later does not count', () => {
    const queryParams = { a: '1' };
    const provider = createProvider({ baseUrl, queryParams });
    queryParams.a = '2';
    expect(provider.queryParams).toEqual({ a: '1' });
  });

  test('of several wrong options the first is told, in the order of the documentation', () => {
    expect(complaintOfOptions({ maxEventBytes: 0, baseUrl: 'x', wireApi: 'grpc' as 'chat' })).toBe(
      'baseUrl must be an http:// or https:// URL',
    );
  });

  test('an option that is not known does not get into the provider', () => {
    expect(createProvider({ baseUrl, frobnicate: 1 } as ProviderOptions)).toEqual(createProvider({ baseUrl }));
  });

  test('a complaint never shows a secret', () => {
    expect(complaintOfOptions({ baseUrl: 'http://me:hunter2@host/' })).not.toContain('hunter2');
    expect(complaintOfOptions({ httpHeaders: { 'x-key': 'hunter2\n' } })).toBe(
      'httpHeaders has a value that no header can have',
    );
  });
});

describe('parseProviders', () => {
  test('every key of a table arrives', () => {
    const file = parsed(`
      model_provider = "local"
      model = "tiny"
      [model_providers.local]
      name = "Local"
      base_url = "${baseUrl}"
      env_key = "LOCAL_KEY"
      bearer_key = true
      wire_api = "chat"
      http_headers = { "X-One" = "1" }
      env_http_headers = { "X-Two" = "TWO" }
      query_params = { api-version = "3" }
      request_max_retries = 1
      stream_max_retries = 2
      stream_idle_timeout_ms = 3
      supports_websockets = true
      websocket_connect_timeout_ms = 4
      ask_usage = false
      usage_grace_ms = 5
      connect_timeout_ms = 6
      first_byte_timeout_ms = 7
      progress_timeout_ms = 8
      total_timeout_ms = 9
      on_close = "complete"
      tool_calls_on_stop = "promote"
      think_tags = "opened"
      system_as_user = true
      context_window = 12
      max_output_tokens = 10
      max_event_bytes = 11
    `);
    expect(file.modelProvider).toBe('local');
    expect(file.notes).toEqual([]);
    expect(file.providers.get('local')).toEqual({
      name: 'Local',
      baseUrl,
      wireApi: 'chat',
      model: 'tiny',
      envKey: 'LOCAL_KEY',
      bearerKey: true,
      httpHeaders: { 'X-One': '1' },
      envHttpHeaders: { 'X-Two': 'TWO' },
      queryParams: { 'api-version': '3' },
      requestMaxRetries: 1,
      streamMaxRetries: 2,
      streamIdleTimeoutMs: 3,
      supportsWebsockets: true,
      websocketConnectTimeoutMs: 4,
      askUsage: false,
      usageGraceMs: 5,
      connectTimeoutMs: 6,
      firstByteTimeoutMs: 7,
      progressTimeoutMs: 8,
      totalTimeoutMs: 9,
      onClose: 'complete',
      toolCallsOnStop: 'promote',
      thinkTags: 'opened',
      systemAsUser: true,
      contextWindow: 12,
      maxOutputTokens: 10,
      maxEventBytes: 11,
    });
  });

  test.each([
    [
      `[model_providers.a]\nbase_url = "${baseUrl}"\nbase_ulr = "x"`,
      'turnwire.toml: [model_providers.a] unknown key "base_ulr"; did you mean base_url?',
    ],
    [
      `[model_providers.a]\nbase_url = "${baseUrl}"\nfrobnicate = 1`,
      'turnwire.toml: [model_providers.a] unknown key "frobnicate"',
    ],
    ['model_provders = {}', 'turnwire.toml: unknown key "model_provders"; did you mean model_providers?'],
    ['[model_providers.a]\nname = "A"', 'turnwire.toml: [model_providers.a] base_url is missing'],
    [
      `[model_providers.a]\nbase_url = "${baseUrl}"\nwire_api = "grpc"`,
      'turnwire.toml: [model_providers.a] wire_api must be "chat" or "responses" or "messages"',
    ],
    [
      `[model_providers.a]\nbase_url = "${baseUrl}"\nask_usage = "yes"`,
      'turnwire.toml: [model_providers.a] ask_usage must be true or false',
    ],
    [
      `[model_providers.a]\nbase_url = "${baseUrl}"\nhttp_headers = { a = 1 }`,
      'turnwire.toml: [model_providers.a] http_headers.a must be a string',
    ],
    ['model_providers = 3', 'turnwire.toml: model_providers must be a table of providers'],
    ['[model_providers]\na = 3', 'turnwire.toml: [model_providers.a] must be a table'],
    ['model = ""', 'turnwire.toml: model must be a string with something in it'],
  ])('one clear line for %j', (toml, message) => {
    expect(complaintOfToml(toml)).toBe(message);
  });

  test('keys of Codex that have no meaning here are passed over with a note that shows no value', () => {
    const { notes } = parsed(
      `[model_providers.a]\nbase_url = "${baseUrl}"\nexperimental_bearer_token = "hunter2"\nrequires_openai_auth = true`,
    );
    expect(notes).toEqual([
      'turnwire.toml: [model_providers.a] experimental_bearer_token is ignored',
      'turnwire.toml: [model_providers.a] requires_openai_auth is ignored',
    ]);
  });

  test("Codex' own file: other keys are not our business, and no base_url is the OpenAI API", () => {
    const file = parsed(
      `approval_policy = "never"\nmodel_provider = "a"\n[model_providers.a]\nwire_api = "chat"\nnew_key = 1`,
      { file: 'config.toml', dialect: 'codex' },
    );
    expect(file.providers.get('a')).toMatchObject({ baseUrl: 'https://api.openai.com/v1', wireApi: 'chat' });
    expect(file.notes).toEqual(['config.toml: [model_providers.a] new_key is ignored']);
  });
});

describe('requests of a provider', () => {
  const env = (values: Record<string, string>) => (name: string) => values[name];

  test.each([
    ['http://h/v1', {}, 'http://h/v1/responses'],
    ['http://h/v1//', {}, 'http://h/v1/responses'],
    ['http://h/v1', { a: '1', b: 'x%2Fy' }, 'http://h/v1/responses?a=1&b=x%2Fy'],
    ['http://h/v1/?own=0#part', { a: '1' }, 'http://h/v1/responses?own=0&a=1'],
  ])('%s with %j', (base, queryParams, address) => {
    expect(requestUrl(createProvider({ baseUrl: base, queryParams }), 'responses')).toBe(address);
  });

  test('a WebSocket goes to the same address', () => {
    expect(websocketUrl(createProvider({ baseUrl: 'https://h/v1' }), 'responses')).toBe('wss://h/v1/responses');
  });

  test('own headers, then those from the environment where set, then the key', () => {
    const provider = createProvider({
      baseUrl,
      envKey: 'KEY',
      httpHeaders: { 'X-One': '1', Authorization: 'Basic x' },
      envHttpHeaders: { 'x-one': 'ONE', 'X-Blank': 'BLANK', 'X-Unset': 'UNSET' },
    });
    expect(requestHeaders(provider, env({ KEY: ' secret\n', ONE: 'one', BLANK: ' ' }))).toEqual({
      'x-one': 'one',
      authorization: 'Bearer secret',
    });
  });

  test('a missing key is an error that names the variable', () => {
    const provider = createProvider({ baseUrl, name: 'local', envKey: 'KEY' });
    expect(missingKeyVariable(provider, env({ KEY: '' }))).toBe('KEY');
    expect(missingKeyVariable(provider, env({ KEY: 'k' }))).toBeUndefined();
    expect(() => requestHeaders(provider, env({}))).toThrow(
      'the environment variable KEY is not set: provider "local" takes its key from it',
    );
  });

  test('a variable that no header can carry is an error without its value', () => {
    const provider = createProvider({ baseUrl, envKey: 'KEY' });
    expect(() => requestHeaders(provider, env({ KEY: 'hunter2\u0000\u2028' }))).toThrow(
      /^the environment variable KEY holds a character that no header can carry$/,
    );
  });
});
