import { thrownText } from '@turnwire/wire/internal/base/thrown-text';
import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';

/** A Markdown file in two: what stands in YAML between two lines `---` at its beginning, and its text. */
export interface FrontMatter {
  /** Empty when it has none. */
  readonly fields: JsonObject;
  readonly body: string;
}

const FENCED = /^\uFEFF?---[ \t]*\r?\n(?:([^]*?)\r?\n)?---[ \t]*(?:\r?\n|$)/;

/** Fails with one line when what stands there is no YAML mapping. A YAML alias is a mistake: it could grow without bound. */
export async function splitFrontMatter(text: string): Promise<FrontMatter> {
  const match = FENCED.exec(text);
  if (match === null) return { fields: {}, body: text };
  const body = text.slice(match[0].length);
  // Loaded only where a file has any.
  const { parse } = await import('yaml');
  const fields = readYaml(parse, match[1] ?? '');
  if (fields === null) return { fields: {}, body };
  if (!isObject(fields)) throw new Error('its front matter is no YAML mapping');
  return { fields, body };
}

function readYaml(parse: (text: string, options: { maxAliasCount: number }) => unknown, text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 });
  } catch (error) {
    const [why = ''] = thrownText(error).split('\n');
    throw new Error(`its front matter is no YAML: ${why}`, { cause: error });
  }
}
