import { isAbsolute, join } from 'node:path';
import { quoteWord } from '@turnwire/client/internal/platform/quote-argv';
import { NO_TOKEN, type ConfigurableClient, type LaunchableClient, type SetupTarget, type Target } from './client.ts';

/** What would lead Claude Code past the bridge: other clouds, another sign-in. */
const elsewhere = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_UNIX_SOCKET',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_FOUNDRY',
  'CLAUDE_CODE_USE_VERTEX',
];

/** Every size of model is the one that there is: Claude Code asks smaller ones beside the turn. */
const models = [
  'ANTHROPIC_MODEL',
  'ANTHROPIC_DEFAULT_OPUS_MODEL',
  'ANTHROPIC_DEFAULT_SONNET_MODEL',
  'ANTHROPIC_DEFAULT_HAIKU_MODEL',
  'ANTHROPIC_SMALL_FAST_MODEL',
];

/** What leads it to a bridge. */
function variablesOf({ url, model, contextWindow }: Target): Readonly<Record<string, string>> {
  return {
    ANTHROPIC_BASE_URL: url,
    ...Object.fromEntries(models.map((name) => [name, model])),
    // A model that it does not know is taken to have 200,000 tokens or a million.
    ...(contextWindow === undefined ? {} : { CLAUDE_CODE_MAX_CONTEXT_TOKENS: String(contextWindow) }),
  };
}

/**
 * Anthropic's Claude Code. Its settings files may have an `env` of their own, which goes before the environment that it is
 * started with: so the same stands in a file for `--settings`, which goes before them.
 */
export const claude: LaunchableClient = {
  name: 'claude',
  program: 'claude',
  install: 'npm install -g @anthropic-ai/claude-code',
  launch: (target) => {
    const variables = { ...variablesOf(target), ANTHROPIC_AUTH_TOKEN: target.token };
    const empty = Object.fromEntries(elsewhere.map((name) => [name, '']));
    return {
      args: ['--settings', join(target.folder, 'settings.json')],
      env: { ...Object.fromEntries(elsewhere.map((name) => [name, undefined])), ...variables },
      files: { 'settings.json': `${JSON.stringify({ env: { ...empty, ...variables } })}\n` },
    };
  },
};

/** The line of a shell that starts it on a bridge. Names of models are a server's: they are quoted. */
export function claudeLine(target: SetupTarget): string {
  const { tokenVariable } = target;
  const token = tokenVariable === undefined ? NO_TOKEN : `"$${tokenVariable}"`;
  const variables = Object.entries(variablesOf(target)).map(([name, value]) => `${name}=${quoteWord(value)}`);
  return [...variables, `ANTHROPIC_AUTH_TOKEN=${token}`, 'claude'].join(' \\\n');
}

/** Its `settings.json`, as `turnwire setup` writes it. A token is read by a command: Claude Code knows no variable for it there. */
export const claudeSetup: ConfigurableClient = {
  name: 'claude',
  files: ({ env, home }) => [join(folderIn(env.CLAUDE_CONFIG_DIR) ?? join(home, '.claude'), 'settings.json')],
  edit: async (text, target) => {
    const { editJsonc } = await import('../setup/edit-jsonc.ts');
    const { tokenVariable: variable } = target;
    const variables = {
      CLAUDE_CODE_MAX_CONTEXT_TOKENS: undefined,
      ...variablesOf(target),
      ANTHROPIC_AUTH_TOKEN: variable === undefined ? NO_TOKEN : undefined,
    };
    return editJsonc(text, [
      ...Object.entries(variables).map(([name, value]) => ({ path: ['env', name], value })),
      ...(variable === undefined ? [] : [{ path: ['apiKeyHelper'], value: `printenv ${variable}` }]),
    ]);
  },
  hints: () => ['Then start it: claude'],
};

/** An absolute path, or nothing: a relative one would lead into the working directory. */
function folderIn(variable: string | undefined): string | undefined {
  return variable !== undefined && isAbsolute(variable) ? variable : undefined;
}
