/** True for a name that a pattern stands for: `*` is any text, everything else itself. */
export function matches(pattern: string, name: string): boolean {
  if (!pattern.includes('*')) return pattern === name;
  const parts = pattern.split('*');
  const [first = '', last = ''] = [parts[0], parts.at(-1)];
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** Models by each of their names. Of two with one name the first has it, and a model's own name goes before all others. */
export function indexByName<Model extends { readonly id: string; readonly aliases: readonly string[] }>(
  models: readonly Model[],
): ReadonlyMap<string, Model> {
  const named = [
    ...models.map((model) => [model.id, model] as const),
    ...models.flatMap((model) => model.aliases.map((alias) => [alias, model] as const)),
    ...models.map((model) => [undated(model.id), model] as const),
  ];
  return new Map(named.toReversed());
}

/** The model that a client means. */
export function findByName<Model>(index: ReadonlyMap<string, Model>, name: string): Model | undefined {
  return namesFor(name)
    .map((one) => index.get(one))
    .find((found) => found !== undefined);
}

/**
 * The names under which a list may have what a client calls so: Ollama takes a name without `:latest`, OpenRouter one with a
 * variant behind a colon, Anthropic one that ends in `-latest`.
 */
function namesFor(model: string): readonly string[] {
  const colon = model.lastIndexOf(':');
  return [model, `${model}:latest`, ...(colon > 0 ? [model.slice(0, colon)] : []), model.replace(/-latest$/, '')];
}

/** The name without the date that Anthropic's and OpenAI's servers let a client leave out. */
function undated(id: string): string {
  return id.replace(/-(?:\d{8}|\d{4}-\d{2}-\d{2})$/, '');
}
