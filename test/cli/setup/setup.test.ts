import { PassThrough } from 'node:stream';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { parse as parseJsonc } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startMock } from '@turnwire/testing';
import { runInProcess, startInProcess } from '../harness.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'turnwire-setup-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const setup = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runInProcess(['setup', ...args], { home, cwd: home, env });

/** With what every run here has: nobody is asked, no server either. */
const write = (client: string, args: readonly string[] = [], env?: Readonly<Record<string, string>>) =>
  setup([client, '--model', 'tiny', '--context-window', '40000', '--yes', ...args], env);

function put(path: string, bytes: string | Uint8Array): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), bytes);
}

const bytesOf = (path: string): string => readFileSync(join(home, path)).toString('latin1');
const textOf = (path: string): string => readFileSync(join(home, path), 'utf8');

const files = {
  codex: '.codex/config.toml',
  claude: '.claude/settings.json',
  opencode: '.config/opencode/opencode.json',
  continue: '.continue/config.yaml',
  zed: '.config/zed/settings.json',
} as const;
type Client = keyof typeof files;
const clients = Object.keys(files) as Client[];

const openCodeModel = { name: 'tiny', tool_call: true, limit: { context: 40_000, output: 10_000 } };

/** What each file means once it is written. */
const written: Readonly<Record<Client, unknown>> = {
  codex: {
    model: 'tiny',
    model_provider: 'turnwire',
    model_context_window: 40_000,
    model_providers: {
      turnwire: {
        name: 'turnwire',
        base_url: 'http://127.0.0.1:18080/v1',
        wire_api: 'responses',
        supports_websockets: true,
        auth: { command: 'echo', args: ['none'] },
      },
    },
  },
  claude: {
    env: {
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:18080',
      ANTHROPIC_AUTH_TOKEN: 'none',
      ANTHROPIC_MODEL: 'tiny',
      ANTHROPIC_DEFAULT_OPUS_MODEL: 'tiny',
      ANTHROPIC_DEFAULT_SONNET_MODEL: 'tiny',
      ANTHROPIC_DEFAULT_HAIKU_MODEL: 'tiny',
      ANTHROPIC_SMALL_FAST_MODEL: 'tiny',
      CLAUDE_CODE_MAX_CONTEXT_TOKENS: '40000',
    },
  },
  opencode: {
    $schema: 'https://opencode.ai/config.json',
    model: 'turnwire/tiny',
    small_model: 'turnwire/tiny',
    provider: {
      turnwire: {
        npm: '@ai-sdk/openai-compatible',
        name: 'turnwire',
        options: { baseURL: 'http://127.0.0.1:18080/v1', apiKey: 'none' },
        models: { tiny: openCodeModel },
      },
    },
  },
  continue: {
    name: 'Local Config',
    version: '1.0.0',
    schema: 'v1',
    models: [
      {
        name: 'turnwire',
        provider: 'openai',
        model: 'tiny',
        apiBase: 'http://127.0.0.1:18080/v1',
        apiKey: 'none',
        roles: ['chat', 'edit', 'apply'],
        capabilities: ['tool_use'],
        defaultCompletionOptions: { contextLength: 40_000 },
      },
    ],
  },
  zed: {
    agent: { default_model: { provider: 'turnwire', model: 'tiny' } },
    language_models: {
      openai_compatible: {
        turnwire: {
          api_url: 'http://127.0.0.1:18080/v1',
          available_models: [
            {
              name: 'tiny',
              display_name: 'tiny',
              max_tokens: 40_000,
              capabilities: { tools: true, images: false, parallel_tool_calls: true, prompt_cache_key: false },
            },
          ],
        },
      },
    },
  },
};

function parse(client: Client, text: string): unknown {
  if (client === 'codex') return structuredClone(parseToml(text));
  if (client === 'continue') return parseYaml(text) as unknown;
  return parseJsonc(text, undefined, { allowTrailingComma: true }) as unknown;
}

describe.each(clients)('turnwire setup %s', (client) => {
  const file = files[client];

  it('makes the file where there is none, once, and takes it away again with its folder', async () => {
    const first = await write(client);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/^--- \/dev\/null\n\+\+\+ /);
    expect(first.stderr).toContain(`${join(home, file)} is written; it was not there before`);
    expect(parse(client, textOf(file))).toEqual(written[client]);
    expect(statSync(join(home, file)).mode & 0o777).toBe(0o600);
    const again = await write(client);
    expect(again).toMatchObject({
      code: 0,
      stdout: '',
      stderr: `turnwire setup: ${join(home, file)} is as it should be\n`,
    });
    const back = await setup([client, '--restore', '--yes']);
    expect(back.stderr).toBe(`turnwire setup: ${join(home, file)} is gone again\n`);
    expect(existsSync(dirname(join(home, file)))).toBe(false);
    expect(await setup([client, '--restore', '--yes'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('writes nothing with --dry-run, nor without a yes', async () => {
    const dry = await setup([client, '--model', 'tiny', '--dry-run']);
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toContain('18080');
    const unasked = await setup([client, '--model', 'tiny']);
    expect(unasked.code).toBe(2);
    expect(unasked.stderr).toContain('nothing is written without a yes');
    expect(readdirSync(home)).toEqual([]);
  });

  it('refuses what it cannot read as this kind of file', async () => {
    for (const bytes of ['{[', Uint8Array.of(0xff, 0xfe)]) {
      put(file, bytes);
      const before = bytesOf(file);
      const { code, stderr } = await write(client);
      expect(code).toBe(2);
      expect(stderr).toMatch(/is left as it is: it is not (?:TOML|JSON|YAML|UTF-8)/);
      expect(bytesOf(file)).toBe(before);
    }
  });

  it('names the variable of a token, and never a token', async () => {
    await write(client);
    await write(client, ['--auth-token-env', 'MY_TOKEN'], { MY_TOKEN: 'sesame' });
    const text = textOf(file);
    expect(text).not.toContain('sesame');
    if (client === 'zed') expect(text).not.toContain('MY_TOKEN');
    else expect(text).toContain('MY_TOKEN');
    await write(client);
    expect(textOf(file)).not.toMatch(/env_key|ANTHROPIC_AUTH_TOKEN": "(?!none)|\{env:/);
  });
});

/** Files as people have them, in pieces that go together in any order. */
const pieces: Readonly<Record<Client, readonly string[]>> = {
  codex: [
    '# mine\n',
    'approval_policy = "never"   # quiet\n',
    'notify = [\n  "a", # one\n  "b",\n]\n',
    '\n[tools]\nweb_search = true\n',
    '\n[mcp_servers.x]\ncommand = "y"\nenv = { A = "b" }\n',
    '\n[[rules]]\nname = "r"\n',
    '\n[model_providers.other]\nbase_url = "http://o/v1" # theirs\n',
    '\n[projects.\'/a b/c\']\ntrust_level = "trusted"\n',
  ],
  claude: [
    '  "permissions": { "allow": ["Bash(ls:*)"] },\n',
    '  "env": {\n    "A": "b"\n  },\n',
    '  "theme": "dark",\n',
  ],
  opencode: [
    '  // about it\n',
    '  "theme": "dark", // dark\n',
    '  "provider": { "o": { "name": "O" } },\n',
    '\n',
    '  /* x */\n',
  ],
  continue: [
    '# mine\n',
    'rules:\n  - be kind # always\n',
    'context:\n- provider: file\n',
    '\n',
    'prompts: [] # none\n',
  ],
  zed: [
    '  // fonts\n',
    '  "buffer_font_size": 15,\n',
    '  "agent": { "version": "2" },\n',
    '  "ssh": [{ "host": "h", },],\n',
  ],
};

/** TOML has all keys before its tables; of one table there is one. */
function assemble(client: Client, chosen: readonly string[]): string {
  const once = [...new Set(chosen)];
  if (client === 'codex')
    return once.toSorted((a, b) => Number(a.startsWith('\n[')) - Number(b.startsWith('\n['))).join('');
  if (client === 'continue') return once.join('');
  const lines = once.join('');
  return `{\n${client === 'claude' ? lines.replace(/,\n$/, '\n') : lines}}\n`;
}

it.each(clients)('keeps every line of a file of %s, and gives back every byte', async (client) => {
  const file = files[client];
  const shape = fc.record({
    chosen: fc.array(fc.constantFrom(...pieces[client]), { maxLength: 6 }),
    crlf: fc.boolean(),
    isOpen: fc.boolean(),
    hasMark: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ chosen, crlf, isOpen, hasMark }) => {
      const lines = assemble(client, chosen);
      const text = isOpen ? lines.replace(/\n$/, '') : lines;
      const before = (hasMark ? '\uFEFF' : '') + (crlf ? text.replaceAll('\n', '\r\n') : text);
      // What a run that failed has left.
      rmSync(join(home, '.local'), { recursive: true, force: true });
      put(file, before);
      const result = await write(client);
      expect(result).toMatchObject({ code: 0 });
      const after = textOf(file);
      for (const line of before.split('\n').filter((one) => /#|\/\/|\/\*/.test(one)))
        expect(after).toContain(line.trim());
      if (before.includes('\r\n') && before.trim() !== '') expect(after).not.toMatch(/[^\r]\n/);
      const mark = /^\uFEFF/;
      const theirs = parse(client, before.replace(mark, '')) as object | null;
      expect(parse(client, after.replace(mark, ''))).toMatchObject({ ...theirs, ...inTheirs(client, theirs) });
      expect((await write(client)).stderr).toContain('is as it should be');
      expect(await setup([client, '--restore', '--yes'])).toMatchObject({ code: 0 });
      expect(textOf(file)).toBe(before);
    }),
    { numRuns: 25 },
  );
});

/** The parts of theirs that ours are put into are compared by what they have together. */
function inTheirs(client: Client, theirs: object | null): object {
  const ours = written[client] as Readonly<Record<string, unknown>>;
  const shared = Object.keys(theirs ?? {}).filter((key) => key in ours && client !== 'continue');
  const merged = shared.map((key): [string, object] => [
    key,
    { ...(theirs as Record<string, object>)[key], ...(ours[key] as object) },
  ]);
  return { ...(client === 'continue' ? { models: ours.models } : ours), ...Object.fromEntries<object>(merged) };
}

describe('a file that is kept', () => {
  const file = files.codex;

  it('stays the oldest one over several changes', async () => {
    put(file, '# first\n');
    await write('codex');
    await write('codex', ['--url', 'http://127.0.0.1:9000/v1/']);
    expect(textOf(file)).toContain('base_url = "http://127.0.0.1:9000/v1"');
    await setup(['codex', '--restore', '--yes']);
    expect(textOf(file)).toBe('# first\n');
  });

  it('comes back over changes of others, which are kept in turn', async () => {
    put(file, '# first\n');
    await write('codex');
    const others = `${textOf(file)}# theirs\n`;
    put(file, others);
    const { stdout, stderr } = await setup(['codex', '--restore', '--yes']);
    expect(stdout).toContain('-# theirs\n');
    expect(stderr).toContain('was changed by somebody else since it was written here');
    const place = /what it was until now is in (.*)\n$/.exec(stderr)?.[1] ?? '';
    expect(readFileSync(place, 'utf8')).toBe(others);
    expect(textOf(file)).toBe('# first\n');
  });

  it.each([
    ['there', '# first\n'],
    ['not there', undefined],
  ])('loses nothing of others that came between two changes, of a file that was %s', async (_, first) => {
    if (first !== undefined) put(file, first);
    await write('codex');
    put(file, `${textOf(file)}# theirs\n`);
    const again = await write('codex', ['--url', 'http://127.0.0.1:9000']);
    expect(again.stderr.includes('it was not there before')).toBe(first === undefined);
    const last = textOf(file);
    expect(last).toContain('# theirs\n');
    const { stderr } = await setup(['codex', '--restore', '--yes']);
    expect(stderr).toContain('was changed by somebody else since it was written here');
    const place = /what it was until now is in (.*)\n$/.exec(stderr)?.[1] ?? '';
    expect(readFileSync(place, 'utf8')).toBe(last);
    expect(existsSync(join(home, file)) ? textOf(file) : undefined).toBe(first);
  });

  it('keeps its rights, and the link that leads to it', async () => {
    put('dotfiles/codex.toml', '# mine\n');
    chmodSync(join(home, 'dotfiles/codex.toml'), 0o640);
    mkdirSync(join(home, '.codex'));
    symlinkSync('../dotfiles/codex.toml', join(home, file));
    await write('codex');
    expect(lstatSync(join(home, file)).isSymbolicLink()).toBe(true);
    expect(textOf('dotfiles/codex.toml')).toContain('turnwire');
    expect(statSync(join(home, 'dotfiles/codex.toml')).mode & 0o777).toBe(0o640);
    await setup(['codex', '--restore', '--yes']);
    expect(textOf('dotfiles/codex.toml')).toBe('# mine\n');
    expect(lstatSync(join(home, file)).isSymbolicLink()).toBe(true);
  });

  it('is where the variables of its program say', async () => {
    await write('codex', [], { CODEX_HOME: join(home, 'other') });
    await write('claude', [], { CLAUDE_CONFIG_DIR: join(home, 'other') });
    await write('opencode', [], { XDG_CONFIG_HOME: join(home, 'other') });
    await write('zed', [], { XDG_CONFIG_HOME: 'relative' });
    await write('continue', [], { CONTINUE_GLOBAL_DIR: join(home, 'other') });
    expect(readdirSync(join(home, 'other')).sort()).toEqual([
      'config.toml',
      'config.yaml',
      'opencode',
      'settings.json',
    ]);
    expect(existsSync(join(home, files.zed))).toBe(true);
  });

  it('is the one of two that is there', async () => {
    put('.config/opencode/opencode.jsonc', '{\n  // mine\n}\n');
    await write('opencode');
    expect(textOf('.config/opencode/opencode.jsonc')).toContain('// mine');
    expect(existsSync(join(home, files.opencode))).toBe(false);
  });

  it('is not made where its program would then not read the old one', async () => {
    put('.continue/config.json', '{}');
    const { code, stderr } = await write('continue');
    expect(code).toBe(2);
    expect(stderr).toContain('would not be read any more');
    expect(existsSync(join(home, files.continue))).toBe(false);
  });
});

describe('the question', () => {
  async function answer(text: string) {
    const stdin = new PassThrough();
    const running = startInProcess(['setup', 'codex', '--model', 'tiny'], { home, cwd: home, stdin, tty: true });
    await running.until(/Write this\? \[Y\/n\]/);
    stdin.write(`${text}\n`);
    return await running.result;
  }

  it('is asked on a terminal, under the change', async () => {
    expect((await answer('n')).code).toBe(0);
    expect(existsSync(join(home, files.codex))).toBe(false);
    const { code, stdout } = await answer('y');
    expect(code).toBe(0);
    expect(stdout).toContain('+base_url = "http://127.0.0.1:18080/v1"');
    expect(existsSync(join(home, files.codex))).toBe(true);
  });
});

it('asks the server for its model, and says how the bridge is started', async () => {
  await using mock = await startMock({ wire: 'chat' });
  const args = ['codex', '--upstream', mock.url, '--env-key', 'KEY', '--wire', 'chat', '--url', ':1'];
  put(files.codex, '# mine\nmodel_providers = {}\n');
  const refused = await setup([...args, '--yes'], { KEY: 'sesame' });
  expect(refused).toEqual({
    code: 2,
    stdout: '',
    stderr: `turnwire setup: ${join(home, files.codex)} is left as it is: line 2: model_providers cannot be changed in this form: write it with a head of its own, [model_providers.turnwire]\n`,
  });
  put(files.codex, '');
  const { code, stderr } = await setup([...args, '--yes', '--web-search'], { KEY: 'sesame' });
  expect(code).toBe(0);
  expect(parse('codex', textOf(files.codex))).toMatchObject({
    model_providers: { turnwire: { base_url: 'http://127.0.0.1:1/v1', supports_standalone_web_search: true } },
    features: { standalone_web_search: true },
  });
  expect(textOf(files.codex)).toContain('model = "scripted"');
  expect(stderr).toContain(`Start the bridge: turnwire bridge --upstream ${mock.url} --env-key KEY --wire chat\n`);
});

it('asks the bridge itself where it runs', async () => {
  await using mock = await startMock({ wire: 'chat' });
  const { code, stderr } = await setup(['codex', '--yes', '--url', mock.url]);
  expect(code).toBe(0);
  expect(textOf(files.codex)).toContain('model = "scripted"');
  expect(stderr).not.toContain('turnwire bridge');
});
