import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { LaunchableClient, LaunchTarget } from './client.ts';

const VARIABLE = 'OPENCODE_CONFIG_CONTENT';

/** opencode keeps so many tokens of the window for the answer. */
const MAX_ANSWER = 32_000;

function configOf({ url, token, model, contextWindow }: LaunchTarget): JsonObject {
  const name = `turnwire/${model}`;
  const limit =
    contextWindow === undefined
      ? {}
      : { limit: { context: contextWindow, output: Math.min(MAX_ANSWER, Math.ceil(contextWindow / 4)) } };
  return {
    model: name,
    // For titles and the like; without it opencode asks a server of its own.
    small_model: name,
    provider: {
      turnwire: {
        npm: '@ai-sdk/openai-compatible',
        name: 'turnwire',
        options: { baseURL: `${url}/v1`, apiKey: token },
        models: { [model]: { name: model, tool_call: true, ...limit } },
      },
    },
  };
}

/** opencode. What stands in this variable goes before all of its files; what the user has in it stays, beside ours. */
export const opencode: LaunchableClient = {
  name: 'opencode',
  program: 'opencode',
  install: 'npm install -g opencode-ai',
  launch: (target, env) => {
    const before = parseJson(env[VARIABLE] ?? '');
    const theirs = isObject(before) ? before : {};
    const ours = configOf(target);
    const provider = { ...(isObject(theirs.provider) ? theirs.provider : {}), ...(ours.provider as JsonObject) };
    return { args: [], env: { [VARIABLE]: JSON.stringify({ ...theirs, ...ours, provider }) }, files: {} };
  },
};
