import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Configuration } from '../../turnwire/src/cli/configuration.ts';
import type { CliContext } from '../../turnwire/src/cli/context.ts';
import { UsageError } from '../../turnwire/src/cli/exit.ts';
import { chooseProvider } from '../../turnwire/src/cli/provider.ts';
import type { ProviderFlags } from '../../turnwire/src/cli/provider-flags.ts';
import { runInProcess } from './harness.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnwire-provider-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const table = (name: string, url: string): string =>
  `[model_providers.${name}]\nbase_url = "${url}"\nwire_api = "chat"\n`;

async function choose(flags: ProviderFlags, env: Record<string, string> = {}) {
  const cli = { env, cwd: join(folder, 'cwd'), home: folder } as unknown as CliContext;
  return await chooseProvider(flags, new Configuration({ trustProject: true, ...flags }, cli));
}

describe('which provider is chosen', () => {
  it('none, without flags and files: the embedded one', async () => {
    expect(await choose({})).toEqual({ notes: [] });
  });

  it('--base-url with --wire, and the flags beside it', async () => {
    const { provider } = await choose({ baseUrl: 'http://h/v1', wire: 'chat', model: 'm', envKey: 'K' });
    expect(provider).toMatchObject({ baseUrl: 'http://h/v1', wireApi: 'chat', model: 'm', envKey: 'K' });
  });

  it('--think-tags and --context-window, before what a file says', async () => {
    write('.config/turnwire/config.toml', `${table('one', 'http://one/v1')}think_tags = true\ncontext_window = 10\n`);
    const read = async (flags: ProviderFlags) => {
      const { thinkTags, contextWindow } = (await choose({ provider: 'one', ...flags })).provider ?? {};
      return [thinkTags, contextWindow];
    };
    expect(await read({})).toEqual([true, 10]);
    expect(await read({ thinkTagsOpened: true, contextWindow: 20 })).toEqual(['opened', 20]);
  });

  it("--codex-config: the window of Codex' model", async () => {
    write('.codex/config.toml', `model_context_window = 1000\nmodel_provider = "a"\n${table('a', 'http://a/v1')}`);
    expect((await choose({ codexConfig: true })).provider?.contextWindow).toBe(1000);
  });

  it('--provider: turnwire.toml first, then the configuration folder', async () => {
    write('cwd/turnwire.toml', table('both', 'http://cwd/v1'));
    write('.config/turnwire/config.toml', table('both', 'http://home/v1') + table('one', 'http://one/v1'));
    write('xdg/turnwire/config.toml', table('two', 'http://two/v1'));
    expect((await choose({ provider: 'both' })).provider?.baseUrl).toBe('http://cwd/v1');
    expect((await choose({ provider: 'one' })).provider?.baseUrl).toBe('http://one/v1');
    // Relative, it is invalid: it would lead into the working directory.
    write('cwd/xdg/turnwire/config.toml', table('two', 'http://wrong/v1'));
    expect((await choose({ provider: 'one' }, { XDG_CONFIG_HOME: 'xdg' })).provider?.baseUrl).toBe('http://one/v1');
    const xdg = { XDG_CONFIG_HOME: join(folder, 'xdg') };
    expect((await choose({ provider: 'two' }, xdg)).provider?.baseUrl).toBe('http://two/v1');
    await expect(choose({ provider: 'one' }, xdg)).rejects.toThrow('no provider "one" (known: both, two)');
  });

  it("a file's model_provider, without flags", async () => {
    write(
      'cwd/turnwire.toml',
      `model_provider = "a"\nmodel = "m"\n${table('a', 'http://a/v1')}${table('b', 'http://b/v1')}`,
    );
    expect((await choose({})).provider).toMatchObject({ baseUrl: 'http://a/v1', model: 'm' });
    expect((await choose({ provider: 'b', model: 'other' })).provider).toMatchObject({
      baseUrl: 'http://b/v1',
      model: 'other',
    });
  });

  it('--codex-config: the file of Codex, its keys that mean nothing here passed over', async () => {
    write('cwd/turnwire.toml', table('x', 'http://wrong/v1'));
    write(
      '.codex/config.toml',
      `model_provider = "x"\napproval_policy = "never"\n${table('x', 'http://x/v1')}requires_openai_auth = true\n`,
    );
    const choice = await choose({ codexConfig: true });
    expect(choice.provider?.baseUrl).toBe('http://x/v1');
    expect(choice.notes).toEqual([expect.stringContaining('requires_openai_auth is ignored')]);
  });

  it('--codex-config: the file in CODEX_HOME, unless that is relative', async () => {
    write('.codex/config.toml', `model_provider = "a"\n${table('a', 'http://a/v1')}`);
    write('other/config.toml', `model_provider = "b"\n${table('b', 'http://b/v1')}`);
    const from = async (CODEX_HOME: string) => (await choose({ codexConfig: true }, { CODEX_HOME })).provider?.baseUrl;
    expect(await from(join(folder, 'other'))).toBe('http://b/v1');
    expect(await from('other')).toBe('http://a/v1');
  });

  it('--codex-config: with a profile over it, as Codex has it now or had it', async () => {
    const old = '[profiles.local]\nmodel_provider = "b"\nmodel = "tiny"\nmodel_context_window = 5\n';
    const base = `model_provider = "a"\nmodel = "big"\n${table('a', 'http://a/v1')}${table('b', 'http://b/v1')}`;
    const chosen = async (flags: ProviderFlags) => (await choose({ codexConfig: true, ...flags })).provider;
    write('.codex/config.toml', `profile = "local"\n${base}${old}`);
    const local = { baseUrl: 'http://b/v1', model: 'tiny', contextWindow: 5 };
    expect(await chosen({})).toMatchObject(local);
    write('.codex/config.toml', `${base}${old}`);
    expect(await chosen({})).toMatchObject({ baseUrl: 'http://a/v1', model: 'big' });
    expect(await chosen({ codexProfile: 'local' })).toMatchObject(local);
    write('.codex/local.config.toml', 'model = "new"\n[model_providers.a]\nbase_url = "http://c/v1"\n');
    expect(await chosen({ codexProfile: 'local' })).toMatchObject({ baseUrl: 'http://c/v1', model: 'new' });
    await expect(chosen({ codexProfile: 'none' })).rejects.toThrow('Codex has no profile "none"');
    await expect(chosen({ codexProfile: '../x' })).rejects.toThrow('"../x" is no name of a profile of Codex');
    await expect(choose({ codexProfile: 'local' })).rejects.toThrow('--codex-profile belongs to --codex-config');
  });

  it('--codex-config without a provider of its own: the one that Codex has built in', async () => {
    write('.codex/config.toml', 'model = "gpt-5"\n');
    const { provider } = await choose({ codexConfig: true });
    expect(provider).toMatchObject({ baseUrl: 'https://api.openai.com/v1', envKey: 'OPENAI_API_KEY', model: 'gpt-5' });
  });
});

describe('what cannot be used is one UsageError', () => {
  it.each<[ProviderFlags, string]>([
    [{ baseUrl: 'http://h' }, '--base-url needs --wire chat or --wire responses'],
    [{ baseUrl: 'http://h', provider: 'x' }, '--base-url and --provider contradict each other'],
    [{ baseUrl: 'http://h', codexConfig: true }, '--base-url and --codex-config contradict each other'],
    [{ baseUrl: 'ftp://h', wire: 'chat' }, '--base-url must be an http:// or https:// URL'],
    [{ baseUrl: 'http://u:p@h', wire: 'chat' }, '--base-url must not hold a user or password'],
    [{ envKey: 'K' }, '--env-key belongs to --base-url'],
    [{ provider: 'x' }, 'no provider "x" (no configuration file names one)'],
    [{ codexConfig: true }, 'config.toml: no such file'],
  ])('%j', async (flags, message) => {
    const failure: unknown = await choose(flags).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(UsageError);
    expect((failure as Error).message).toContain(message);
  });

  it.each([
    ['an unknown key', `${table('a', 'http://a')}wire_apy = "chat"\n`, 'did you mean wire_api?'],
    ['an unknown key at the top', 'model_providr = "a"\n', 'did you mean model_provider?'],
    ['a wrong type', `${table('a', 'http://a')}usage_grace_ms = "soon"\n`, 'usage_grace_ms must be a whole number'],
    ['no TOML', 'api_key = "sesame\n', 'turnwire.toml:1: '],
    ['a model_provider without a table', 'model_provider = "a"\n', 'has no table [model_providers.a]'],
  ])('%s, as one line on stderr', async (_, toml, message) => {
    write('cwd/turnwire.toml', toml);
    const { code, stdout, stderr } = await runInProcess(['exec', '--trust-project', 'hi'], {
      cwd: join(folder, 'cwd'),
      home: folder,
    });
    expect(stderr).toMatch(/^turnwire exec: .*turnwire\.toml.*\n$/);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('sesame');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('a file that cannot be read', async () => {
    write('cwd/turnwire.toml/file', '');
    await expect(choose({})).rejects.toThrow(/^cannot read .*turnwire\.toml: it is a directory$/);
  });
});
