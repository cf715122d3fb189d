import { join } from 'node:path';
import type { LaunchableClient, LaunchTarget } from './client.ts';

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

function variablesOf({ url, token, model, contextWindow }: LaunchTarget): Readonly<Record<string, string>> {
  return {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_AUTH_TOKEN: token,
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
    const variables = variablesOf(target);
    const empty = Object.fromEntries(elsewhere.map((name) => [name, '']));
    return {
      args: ['--settings', join(target.folder, 'settings.json')],
      env: { ...Object.fromEntries(elsewhere.map((name) => [name, undefined])), ...variables },
      files: { 'settings.json': `${JSON.stringify({ env: { ...empty, ...variables } })}\n` },
    };
  },
};
