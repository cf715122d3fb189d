import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ModelFacts } from '../options.ts';

/** Levels that servers of open models understand in `reasoning_effort`. */
const USUAL_LEVELS = ['low', 'medium', 'high'] as const;

/** Where lists of models tell the size of the context window. The first one counts: what is loaded goes before what could be. */
const WINDOW_FIELDS = [
  'loaded_context_length', // LM Studio
  'max_model_len', // vLLM, SGLang
  'context_length', // OpenRouter, Together, Ollama
  'context_window', // Groq
  'max_context_length', // Mistral, LM Studio
  'max_input_tokens', // Anthropic
];

/** What an entry of a server's list tells. */
export function factsIn(entry: JsonObject): ModelFacts {
  const { meta, architecture, capabilities, supported_parameters: parameters } = entry;
  // llama.cpp: `n_ctx_train`, which stands there too, is what the model was trained for, and not what it is run with.
  const ofMeta = isObject(meta) ? countOf(meta.n_ctx) : undefined;
  const contextWindow =
    ofMeta ?? WINDOW_FIELDS.map((name) => countOf(entry[name])).find((count) => count !== undefined);
  const inputs = isObject(architecture) ? architecture.input_modalities : entry.input_modalities;
  const images = Array.isArray(inputs) ? inputs.includes('image') : flagIn(capabilities, ['vision', 'image_input']);
  const thinks = Array.isArray(parameters) ? parameters.includes('reasoning') : undefined;
  return known({ contextWindow, images, reasoningLevels: thinks === true ? USUAL_LEVELS : undefined });
}

/** A server's capabilities are a table of flags, or of `{supported}`. */
function flagIn(capabilities: unknown, names: readonly string[]): boolean | undefined {
  if (!isObject(capabilities)) return undefined;
  const values = names.map((name) => capabilities[name]).map((value) => (isObject(value) ? value.supported : value));
  return values.find((value) => typeof value === 'boolean');
}

/** A kind of server that tells more of its models elsewhere. */
interface ServerKind {
  /** True for an entry in a list of such a server. */
  lists(entry: JsonObject): boolean;
  /** What it is asked of all its models together, below its address. */
  readonly path: string;
  /** What it is asked of one of them; it is posted. */
  readonly each?: { readonly path: string; body(id: string): JsonObject };
  /** What the answers say of a model; empty objects stand for those that did not come. */
  facts(id: string, all: JsonObject, one: JsonObject): ModelFacts;
}

export const kinds: readonly ServerKind[] = [
  // github.com/ggml-org/llama.cpp, tools/server/README.md, "GET /props": the window of one slot.
  {
    lists: ({ owned_by }) => owned_by === 'llamacpp',
    path: 'props',
    facts: (_, { default_generation_settings: settings, modalities }) =>
      known({
        contextWindow: isObject(settings) ? countOf(settings.n_ctx) : undefined,
        images: flagIn(modalities, ['vision']),
      }),
  },
  // github.com/ollama/ollama, docs/api.md: how it is loaded, else what its Modelfile sets. What it was trained for says
  // nothing: without these Ollama takes a window of its own.
  {
    lists: ({ owned_by }) => owned_by === 'library',
    path: 'api/ps',
    each: { path: 'api/show', body: (id) => ({ model: id }) },
    facts: (id, running, { parameters, capabilities }) => {
      const loaded = entriesIn(running.models).find(({ name }) => name === id);
      const set = typeof parameters === 'string' ? /^num_ctx\s+(\d+)/m.exec(parameters)?.[1] : undefined;
      const can = (what: string): boolean | undefined =>
        Array.isArray(capabilities) ? capabilities.includes(what) : undefined;
      return known({
        contextWindow: countOf(loaded?.context_length) ?? countOf(Number(set)),
        images: can('vision'),
        reasoningLevels: can('thinking') === true ? USUAL_LEVELS : undefined,
      });
    },
  },
  // lmstudio.ai/docs/developer/rest/endpoints, "GET /api/v0/models".
  {
    lists: ({ owned_by }) => owned_by === 'organization_owner',
    path: 'api/v0/models',
    facts: (id, { data }) => {
      const entry = entriesIn(data).find((one) => one.id === id);
      if (entry === undefined) return {};
      return {
        ...factsIn(entry),
        ...known({ images: typeof entry.type === 'string' ? entry.type === 'vlm' : undefined }),
      };
    },
  },
];

function entriesIn(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** Without what is not known. */
function known(facts: { readonly [K in keyof ModelFacts]: ModelFacts[K] | undefined }): ModelFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}
