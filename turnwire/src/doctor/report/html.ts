import { visibleLines } from '@turnwire/wire/internal/base/printable';

/** A piece of a page that is markup already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type HtmlValue = string | number | Html | undefined | readonly HtmlValue[];

/** Markup with values in it: whatever is no {@link Html} is text, and cannot be anything else. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts.map((part, n) => part + (n < values.length ? render(values[n]) : '')).join(''));
}

function render(value: HtmlValue): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  return typeof value === 'object' ? value.map(render).join('') : escaped(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What a server or a model wrote, as a person may see it in an element or an attribute. */
function escaped(text: string): string {
  return visibleLines(text).replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
