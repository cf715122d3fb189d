import { expect, it } from 'vitest';
import { clientName } from '../../packages/bridge/src/observe/client-name.ts';

it.each<[header: string | undefined, name: string | undefined]>([
  ['codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm (codex_exec; 0.169.0)', 'codex'],
  ['codex_cli_rs/0.169.0', 'codex'],
  ['claude-cli/2.1.197 (external, sdk-cli)', 'claude-code'],
  ['opencode/1.18.33 ai-sdk/provider-utils/4.0.46 runtime/bun/1.3.14', 'opencode'],
  ['Anthropic/JS 1.11.0', 'anthropic-js 1.11'],
  ['OpenAI/JS 7.5.0', 'openai-js 7.5'],
  ['AsyncOpenAI/Python 2.8.1', 'openai-python 2.8'],
  ['ai-sdk-anthropic/4.0.105 ai-sdk-provider-utils/5.0.81 node.js/22', 'ai-sdk-anthropic 4.0'],
  ['curl/8.5.0', 'curl 8.5'],
  ['node', 'node'],
  ['Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101', 'browser'],
  ['\u001b[31mred', undefined],
  [`${'x'.repeat(100)}/1.2`, 'x'.repeat(40)],
  ['', undefined],
  [undefined, undefined],
])('%j is %j', (header, name) => {
  expect(clientName(header)).toBe(name);
});
