/** What other servers have under paths of their own, and what answers the same here: Ollama's API, and what came before chat. */
const elsewhere: Readonly<Record<string, string>> = {
  '/api/chat': '/v1/chat/completions',
  '/api/generate': '/v1/chat/completions',
  '/api/tags': '/v1/models',
  '/completions': '/v1/chat/completions',
  '/v1/completions': '/v1/chat/completions',
  '/v1/complete': '/v1/messages',
};

/**
 * The path that somebody meant who asked for another one: a base URL that has too much or too little of a path is the usual mistake.
 *
 * @param paths - what is served, without those that have a parameter
 * @param isServed - true for a path that is, one with a parameter too
 */
export function meantPath(
  path: string,
  paths: readonly string[],
  isServed: (path: string) => boolean,
): string | undefined {
  const tidy = path.replaceAll(/\/{2,}/g, '/').replace(/\/$/, '');
  const lower = tidy.toLowerCase();
  const table = Object.hasOwn(elsewhere, lower) ? elsewhere[lower] : undefined;
  const below = tidy.lastIndexOf('/v1/');
  const rooted = below > 0 ? tidy.slice(below) : undefined; // `/openai/v1/responses`, `/v1/v1/responses`
  const ending = paths
    .filter((one) => one.startsWith('/v1/') && lower.endsWith(one.slice(3)))
    .toSorted(longestFirst)[0];
  return [tidy, lower, table, rooted, ending, `${lower}s`].find((one) => one !== undefined && isServed(one));
}

function longestFirst(a: string, b: string): number {
  return b.length - a.length;
}
