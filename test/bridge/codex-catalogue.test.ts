import { describe, expect, it } from 'vitest';
import { createBridge, type BridgeOptions } from '../../packages/bridge/src/index.ts';
import { askJson, type Json } from './harness.ts';
import { startModelServer, type ModelServer, type ModelServerOptions } from './model-server.ts';
import { chatChunk, startBridge } from './raw-upstream.ts';

/** What Codex reads of each model, by its name. */
async function catalogueOf(bridge: { url: string }): Promise<ReadonlyMap<unknown, Json>> {
  const response = await fetch(`${bridge.url}/v1/models?client_version=0.169.0`);
  expect([response.status, response.headers.get('etag')]).toEqual([200, expect.stringMatching(/^"[0-9a-f]{16}"$/)]);
  const { models } = (await response.json()) as { models: Json[] };
  return new Map(models.map((model) => [model.slug, model]));
}

/** The facts of one model: window, inputs, levels. */
async function factsOf(bridge: { url: string }, model: string): Promise<unknown> {
  const entry = (await catalogueOf(bridge)).get(model);
  const levels = entry?.supported_reasoning_levels as { effort: string }[] | undefined;
  return [entry?.context_window, entry?.input_modalities, levels?.map(({ effort }) => effort)];
}

async function withServer<T>(
  server: ModelServerOptions,
  options: Partial<BridgeOptions>,
  use: (bridge: { url: string }, server: ModelServer) => Promise<T>,
): Promise<T> {
  await using started = await startModelServer(server);
  await using bridge = createBridge({ upstreams: [started.url], wire: 'chat', port: 0, drainTimeoutMs: 0, ...options });
  await bridge.listen();
  return await use(bridge, started);
}

const text = ['text'];
const both = ['text', 'image'];
const usual = ['low', 'medium', 'high'];

describe("Codex' catalogue", () => {
  it('has every field that Codex cannot do without', async () => {
    const server = { list: [{ id: 'tiny', max_model_len: 4096 }] };
    const entry = await withServer(server, {}, async (bridge) => (await catalogueOf(bridge)).get('tiny'));
    const { base_instructions, ...rest } = entry!;
    expect(rest).toEqual({
      slug: 'tiny',
      display_name: 'tiny',
      description: null,
      context_window: 4096,
      max_context_window: 4096,
      effective_context_window_percent: 95,
      input_modalities: ['text'],
      default_reasoning_level: null,
      supported_reasoning_levels: [],
      supports_reasoning_summaries: true,
      default_reasoning_summary: 'auto',
      support_verbosity: false,
      default_verbosity: null,
      shell_type: 'unified_exec',
      apply_patch_tool_type: 'freeform',
      supports_parallel_tool_calls: true,
      experimental_supported_tools: [],
      truncation_policy: { mode: 'tokens', limit: 512 },
      visibility: 'list',
      supported_in_api: true,
      priority: 1,
      availability_nux: null,
      upgrade: null,
    });
    expect(base_instructions).toContain('*** Begin Patch');
  });

  it.each<[name: string, entry: Json, more: Readonly<Record<string, unknown>>, facts: unknown]>([
    ['vLLM', { owned_by: 'vllm', max_model_len: 32_768 }, {}, [32_768, text, []]],
    [
      'llama.cpp, whose list has the window of all slots together',
      {
        owned_by: 'llamacpp',
        meta: { n_ctx: 32_768, n_ctx_train: 131_072 },
        architecture: { input_modalities: ['text'] },
      },
      { 'GET /props': { default_generation_settings: { n_ctx: 4096 }, modalities: { vision: true } } },
      [4096, both, []],
    ],
    [
      'an older llama.cpp that tells no more',
      { owned_by: 'llamacpp', meta: { n_ctx_train: 131_072 } },
      {},
      [undefined, text, []],
    ],
    [
      'Ollama with the model loaded',
      { owned_by: 'library' },
      {
        'GET /api/ps': {
          models: [
            { name: 'other', context_length: 1 },
            { name: 'm', context_length: 8192 },
          ],
        },
        'POST /api/show': { capabilities: ['completion', 'vision', 'thinking'], parameters: 'num_ctx    2048' },
      },
      [8192, both, usual],
    ],
    [
      'Ollama with a window in the Modelfile',
      { owned_by: 'library' },
      {
        'GET /api/ps': { models: [] },
        'POST /api/show': {
          capabilities: ['completion'],
          parameters: 'stop "x"\nnum_ctx    16384\n',
          model_info: { 'llama.context_length': 131_072 },
        },
      },
      [16_384, text, []],
    ],
    [
      'Ollama that says nothing of it',
      { owned_by: 'library' },
      { 'POST /api/show': { model_info: { 'llama.context_length': 131_072 } } },
      [undefined, text, []],
    ],
    [
      'LM Studio',
      { owned_by: 'organization_owner' },
      {
        'GET /api/v0/models': {
          data: [{ id: 'm', type: 'vlm', max_context_length: 131_072, loaded_context_length: 4096 }],
        },
      },
      [4096, both, []],
    ],
    [
      'OpenRouter',
      {
        context_length: 200_000,
        architecture: { input_modalities: ['text', 'image'] },
        supported_parameters: ['tools', 'reasoning'],
      },
      {},
      [200_000, both, usual],
    ],
    [
      'Anthropic',
      { type: 'model', max_input_tokens: 200_000, capabilities: { image_input: { supported: true } } },
      {},
      [200_000, both, []],
    ],
    ['Mistral', { max_context_length: 131_072, capabilities: { vision: false } }, {}, [131_072, text, []]],
    ['Groq', { context_window: 131_072 }, {}, [131_072, text, []]],
    [
      'nonsense',
      { max_model_len: -1, context_length: '5', architecture: 7, capabilities: [], meta: null },
      {},
      [undefined, text, []],
    ],
  ])('knows what %s tells', async (_, entry, more, facts) => {
    const server = { list: [{ id: 'm', ...entry }], more };
    expect(await withServer(server, {}, (bridge) => factsOf(bridge, 'm'))).toEqual(facts);
  });

  it('takes the word of the configuration before that of the server, and has the names that lead to a model', async () => {
    const server = { list: [{ id: 'm', max_model_len: 1000 }] };
    const options: Partial<BridgeOptions> = {
      modelMap: [{ pattern: 'gpt-5', model: 'm' }],
      modelFacts: { m: { contextWindow: 500, reasoningLevels: ['low', 'max'] } },
    };
    await withServer(server, options, async (bridge) => {
      expect(await factsOf(bridge, 'gpt-5')).toEqual([500, text, ['low', 'max']]);
      expect([...(await catalogueOf(bridge)).keys()]).toEqual(['m', 'gpt-5']);
    });
  });

  it('is there for the model of --model, too, where the server has no list', async () => {
    await withServer({}, { model: 'mine', modelFacts: { mine: { images: true } } }, async (bridge) => {
      expect(await factsOf(bridge, 'mine')).toEqual([undefined, both, []]);
    });
  });
});

describe('a window that is known', () => {
  const cut = `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'length' }], usage: { prompt_tokens: 900, completion_tokens: 90, total_tokens: 990 } })}\n\ndata: [DONE]\n\n`;
  const server: ModelServerOptions = {
    list: [{ id: 'm', max_model_len: 1000 }],
    answer: (_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatChunk('x') + cut);
      return true;
    },
  };
  const codex = { originator: 'codex_exec' };

  it('tells a full context from another limit, once Codex has asked for the catalogue', async () => {
    await using started = await startModelServer(server);
    await using bridge = await startBridge([started]);
    const ask = async (): Promise<string> => {
      const headers = { 'content-type': 'application/json', ...codex };
      const body = JSON.stringify({ model: 'm', input: 'hi', stream: true });
      return (await fetch(`${bridge.url}/v1/responses`, { method: 'POST', headers, body })).text();
    };
    expect(await ask()).toContain('response.incomplete');
    await catalogueOf(bridge);
    expect(await ask()).toContain('context_length_exceeded');
    expect((await askJson(bridge, { model: 'm', input: 'hi' })).how).toBe('incomplete:max_output_tokens');
  });
});
