/** Programs by how their `User-Agent` begins, as their own requests have it (captures of 2026-11). */
const programs: readonly (readonly [begins: RegExp, name: string])[] = [
  [/^codex[\w-]*\//i, 'codex'],
  [/^claude-cli\//i, 'claude-code'],
  [/^opencode\//i, 'opencode'],
  [/^mozilla\//i, 'browser'],
];

/** A library: `OpenAI/JS 7.5.0`, `AsyncAnthropic/Python 0.80.0`. */
const LIBRARY = /^(?:Async)?(OpenAI|AzureOpenAI|Anthropic)\/(JS|Python) (\d{1,5}(?:\.\d{1,5})?)/;
/** Anything else: its first product, and two steps of its version. */
const PRODUCT = /^([\w.-]{1,40})(?:\/v?(\d{1,5}(?:\.\d{1,5})?))?/;

/**
 * Who a request comes from, short, for people: `codex`, `claude-code`, `openai-js 7.5`, `curl 8.5`. Undefined where the
 * header says nothing.
 */
export function clientName(userAgent: string | undefined): string | undefined {
  if (userAgent === undefined) return undefined;
  const program = programs.find(([begins]) => begins.test(userAgent));
  if (program !== undefined) return program[1];
  const [, maker, language, version] = LIBRARY.exec(userAgent) ?? [];
  if (maker !== undefined && language !== undefined) return `${maker}-${language}`.toLowerCase() + ` ${version ?? ''}`;
  const [, product, of] = PRODUCT.exec(userAgent) ?? [];
  return of === undefined ? product : `${product ?? ''} ${of}`;
}
