import type {
  ElicitRequestFormParams,
  ElicitRequestParams,
  PrimitiveSchemaDefinition,
} from '@modelcontextprotocol/sdk/types.js';
import { visible, visibleLines } from '@turnwire/wire/internal/base/printable';
import type { Elicitation, ElicitationChoice, ElicitationField, UnfitElicitation } from '../approval/elicitation.ts';

const MAX_MESSAGE = 4000;
const MAX_TITLE = 200;
const MAX_DESCRIPTION = 1000;
/** Of what goes back to the server as it is: names, values, addresses. It is not cut. */
const MAX_VALUE = 2000;
const MAX_FIELDS = 32;
const MAX_CHOICES = 200;

class Unfit extends Error {}

/** What a server asks, as a person may see it: bounded, and with every hidden character shown. */
export function toElicitation(
  server: string,
  params: ElicitRequestParams,
  { completed, isRequired }: Pick<Extract<Elicitation, { mode: 'url' }>, 'completed' | 'isRequired'>,
): Elicitation | UnfitElicitation {
  try {
    const message = cut(visibleLines(params.message), MAX_MESSAGE);
    if (params.mode === 'url')
      return { mode: 'url', server, message, url: parseAddress(params.url), isRequired, completed };
    return { mode: 'form', server, message, fields: parseFields(params.requestedSchema) };
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    return { mode: 'unfit', server, problem: error.message };
  }
}

/** Only what a browser opens as a page; credentials in an address make it look like another one. */
function parseAddress(text: string): string {
  const url = URL.parse(text);
  const isPage = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url === null || !isPage || url.username !== '' || url.password !== '' || url.href.length > MAX_VALUE)
    throw new Unfit('its address is none that may be opened');
  return url.href;
}

function parseFields({ properties, required = [] }: ElicitRequestFormParams['requestedSchema']): ElicitationField[] {
  const entries = Object.entries(properties);
  if (entries.length > MAX_FIELDS) throw new Unfit(`its form has more than ${MAX_FIELDS} fields`);
  return entries.map(([name, schema]) => ({
    name: asItIs(name),
    title: cut(visible(schema.title ?? name), MAX_TITLE),
    description: schema.description === undefined ? undefined : cut(visible(schema.description), MAX_DESCRIPTION),
    isRequired: required.includes(name),
    ...withFittingDefault(parseKind(schema)),
  }));
}

/** Without a default that the server itself would refuse: who fills the form in would send it unread. */
function withFittingDefault(kind: Kind): Kind {
  return kind.default === undefined || fits(kind) ? kind : { ...kind, default: undefined };
}

function fits(kind: Kind): boolean {
  switch (kind.type) {
    case 'string':
      return isBetween(kind.default?.length, kind.minLength, kind.maxLength);
    case 'number':
      return isBetween(kind.default, kind.minimum, kind.maximum);
    case 'integer':
      return Number.isInteger(kind.default) && isBetween(kind.default, kind.minimum, kind.maximum);
    case 'boolean':
      return true;
    case 'choice':
      return kind.choices.some(({ value }) => value === kind.default);
    case 'choices': {
      const values = new Set(kind.choices.map(({ value }) => value));
      return (
        kind.default?.every((each) => values.has(each)) === true &&
        isBetween(kind.default.length, kind.minItems, kind.maxItems)
      );
    }
  }
}

function isBetween(count = NaN, least = -Infinity, most = Infinity): boolean {
  return count >= least && count <= most;
}

function parseKind(schema: PrimitiveSchemaDefinition): Kind {
  switch (schema.type) {
    case 'string': {
      const preset = schema.default === undefined ? undefined : asItIs(schema.default);
      if ('enum' in schema || 'oneOf' in schema) return { type: 'choice', choices: choicesOf(schema), default: preset };
      const { minLength, maxLength, format } = schema;
      return { type: 'string', minLength, maxLength, format, default: preset };
    }
    case 'number':
    case 'integer':
      return { type: schema.type, minimum: schema.minimum, maximum: schema.maximum, default: schema.default };
    case 'boolean':
      return { type: 'boolean', default: schema.default };
    case 'array': {
      const { minItems, maxItems, items } = schema;
      return {
        type: 'choices',
        choices: choicesOf(items),
        minItems,
        maxItems,
        default: schema.default?.map(asItIs),
      };
    }
  }
}

type WithoutName<T> = T extends unknown ? Omit<T, 'name' | 'title' | 'description' | 'isRequired'> : never;
type Kind = WithoutName<ElicitationField>;

type Listed =
  | { readonly enum: readonly string[]; readonly enumNames?: readonly string[] | undefined }
  | { readonly oneOf: readonly TitledValue[] }
  | { readonly anyOf: readonly TitledValue[] };

interface TitledValue {
  readonly const: string;
  readonly title: string;
}

/** The ways in which the protocol lists values. */
function choicesOf(schema: Listed): ElicitationChoice[] {
  const listed = titledOf(schema);
  if (listed.length > MAX_CHOICES) throw new Unfit(`a field of its form has more than ${MAX_CHOICES} choices`);
  return listed.map(({ const: value, title }) => ({ value: asItIs(value), title: cut(visible(title), MAX_TITLE) }));
}

function titledOf(schema: Listed): readonly TitledValue[] {
  if ('oneOf' in schema) return schema.oneOf;
  if ('anyOf' in schema) return schema.anyOf;
  return schema.enum.map((value, at) => ({ const: value, title: schema.enumNames?.[at] ?? value }));
}

/** What is seen and what goes back to the server have to be the same. */
function asItIs(text: string): string {
  if (text.length > MAX_VALUE || visibleLines(text) !== text)
    throw new Unfit('its form has hidden characters, or is too long');
  return text;
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}… (${text.length - most} characters more)` : text;
}
