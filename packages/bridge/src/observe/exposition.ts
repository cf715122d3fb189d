/** Labels of one sample: name to value. */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** Behind the name of the family: `_bucket`, `_sum` and `_count` of a histogram. */
  readonly suffix?: string;
  readonly labels: Labels;
  readonly value: number;
}

/** One metric with all its series. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /**
   * What it is over several processes; absent: the sum. `first`: what one of them says, since all say the same; `least`: the least of all.
   */
  readonly across?: 'sum' | 'least' | 'first';
  readonly samples: Iterable<Sample>;
}

/** The media type of {@link expositionOf}. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * The text format of Prometheus, version 0.0.4.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function expositionOf(families: Iterable<Family>): string {
  return Array.from(families, textOf).join('\n');
}

function textOf({ name, help, type, samples }: Family): string {
  const lines = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
  for (const { suffix = '', labels, value } of samples) {
    lines.push(`${name}${suffix}${labelText(labels)} ${numberText(value)}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** As Go reads a number. */
function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
