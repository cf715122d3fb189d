import type { ElicitationField, ElicitationValue } from '@turnwire/agent/internal/approval/elicitation';

/** What a typed line is for a field: a value, nothing where nothing need be said, or why it does not fit. */
export type FieldAnswer =
  | { readonly type: 'value'; readonly value: ElicitationValue }
  | { readonly type: 'nothing' }
  | { readonly type: 'problem'; readonly problem: string };

/** An empty line is the default, where there is one. */
export function parseFieldAnswer(field: ElicitationField, line: string): FieldAnswer {
  const text = line.trim();
  if (text !== '') return valueOf(field, text);
  if (field.default !== undefined) return { type: 'value', value: field.default };
  return field.isRequired ? problem('An answer is needed.') : { type: 'nothing' };
}

/** What may be typed, in a few words; nothing where it is any text. */
export function describeField(field: ElicitationField): string {
  const parts = [
    field.isRequired ? '' : 'may be empty',
    kindText(field),
    field.default === undefined ? '' : `empty: ${String(field.default)}`,
  ];
  return parts.filter((part) => part !== '').join('; ');
}

function kindText(field: ElicitationField): string {
  switch (field.type) {
    case 'string':
      return field.format ?? '';
    case 'number':
    case 'integer':
      return field.type === 'integer' ? 'a whole number' : 'a number';
    case 'boolean':
      return 'yes or no';
    case 'choice':
      return `one of: ${titles(field)}`;
    case 'choices':
      return `any of, with commas between: ${titles(field)}`;
  }
}

function titles({ choices }: Choosing): string {
  return choices.map(({ title }) => title).join(', ');
}

function valueOf(field: ElicitationField, text: string): FieldAnswer {
  switch (field.type) {
    case 'string': {
      const { minLength = 0, maxLength = Infinity, format } = field;
      if (text.length < minLength) return problem(`At least ${minLength} characters.`);
      if (text.length > maxLength) return problem(`At most ${maxLength} characters.`);
      return format === undefined || formats[format](text) ? value(text) : problem(`That is no ${format}.`);
    }
    case 'number':
    case 'integer':
      return numberOf(field, Number(text));
    case 'boolean':
      if (/^(?:y|yes|true)$/i.test(text)) return value(true);
      return /^(?:n|no|false)$/i.test(text) ? value(false) : problem('Yes or no.');
    case 'choice': {
      const chosen = chosenOf(field, text);
      return chosen === undefined ? problem('That is none of them.') : value(chosen);
    }
    case 'choices': {
      const { minItems = 0, maxItems = Infinity } = field;
      const all = allChosenOf(field, text.split(','));
      if (all === undefined) return problem('Not all of that is among them.');
      const chosen = [...new Set(all)];
      if (chosen.length < minItems) return problem(`At least ${minItems} of them.`);
      return chosen.length > maxItems ? problem(`At most ${maxItems} of them.`) : value(chosen);
    }
  }
}

function numberOf(field: Extract<ElicitationField, { type: 'number' | 'integer' }>, number: number): FieldAnswer {
  const { type, minimum = -Infinity, maximum = Infinity } = field;
  if (!Number.isFinite(number) || (type === 'integer' && !Number.isInteger(number)))
    return problem(type === 'integer' ? 'That is no whole number.' : 'That is no number.');
  if (number < minimum) return problem(`At least ${minimum}.`);
  return number > maximum ? problem(`At most ${maximum}.`) : value(number);
}

type Choosing = Extract<ElicitationField, { type: 'choice' | 'choices' }>;

/** One behind the other, each as long as can be: a choice may have commas in it. Nothing when a part is none. */
function allChosenOf(field: Choosing, parts: readonly string[]): readonly string[] | undefined {
  const chosen: string[] = [];
  for (let from = 0; from < parts.length;) {
    const found = longestChosen(field, parts.slice(from));
    if (found === undefined) return undefined;
    chosen.push(found.value);
    from += found.parts;
  }
  return chosen;
}

function longestChosen(
  field: Choosing,
  parts: readonly string[],
): { readonly value: string; readonly parts: number } | undefined {
  const most = Math.max(...field.choices.flatMap(({ value, title }) => [value, title]).map(countParts));
  for (let count = Math.min(most, parts.length); count > 0; count--) {
    const value = chosenOf(field, parts.slice(0, count).join(',').trim());
    if (value !== undefined) return { value, parts: count };
  }
  return undefined;
}

function countParts(text: string): number {
  return text.split(',').length;
}

/** By its value or, in any letters, by its title. */
function chosenOf({ choices }: Choosing, text: string): string | undefined {
  const byTitle = choices.find(({ title }) => title.toLowerCase() === text.toLowerCase());
  return choices.find((choice) => choice.value === text)?.value ?? byTitle?.value;
}

const formats: Readonly<Record<'email' | 'uri' | 'date' | 'date-time', (text: string) => boolean>> = {
  email: (text) => /^[^\s@]+@[^\s@]+$/.test(text),
  uri: (text) => URL.canParse(text),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
  'date-time': (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text)),
};

function value(given: ElicitationValue): FieldAnswer {
  return { type: 'value', value: given };
}

function problem(text: string): FieldAnswer {
  return { type: 'problem', problem: text };
}
