import { expositionOf, type Family, type Labels, type Sample } from './exposition.ts';

/** Label values come from outside at times: what would be one series too many is counted under `other`. */
const MAX_SERIES = 500;
const OTHER = 'other';

/** What a metric is called. */
export interface MetricSpec<L extends string> {
  /** With its unit: `_seconds`, `_bytes`; a counter ends in `_total`. */
  readonly name: string;
  readonly help: string;
  /** Names of the labels that every sample has. Default: none. */
  readonly labels?: readonly L[];
}

/** A sum that only grows. */
export interface Counter<L extends string> {
  /** @param by - default 1; 0 makes the series known; what is no number from 0 on is passed over: to observe must not fail what is observed */
  inc(labels: Readonly<Record<L, string>>, by?: number): void;
}

/** How often a value was at most so large. */
export interface Histogram<L extends string> {
  /** @param value - in the unit of the name; what is no finite number is passed over */
  observe(labels: Readonly<Record<L, string>>, value: number): void;
}

/** Reads values that somebody else keeps, at the time they are asked for. */
export type ReadSamples = () => Iterable<Sample>;

/** All metrics of one bridge, in the order in which they were made. Each keeps at most 500 series. */
export class MetricRegistry {
  readonly #families = new Map<string, () => Family>();

  /** @throws Error for a name that is taken, as all of these do */
  counter<const L extends string = never>(spec: MetricSpec<L>): Counter<L> {
    const series = new SeriesTable(spec, () => ({ count: 0 }));
    this.#add(spec, 'counter', () => series.samples(({ count }, labels) => [{ labels, value: count }]));
    return {
      inc: (labels, by = 1) => {
        if (by >= 0 && Number.isFinite(by)) series.at(labels).count += by;
      },
    };
  }

  /** @param spec - `buckets` are the upper bounds, in ascending order; the last, `+Inf`, is added */
  histogram<const L extends string = never>(
    spec: MetricSpec<L> & { readonly buckets: readonly number[] },
  ): Histogram<L> {
    const { buckets } = spec;
    const series = new SeriesTable(spec, () => new Distribution(buckets));
    this.#add(spec, 'histogram', () => series.samples((distribution, labels) => distribution.samples(labels)));
    return { observe: (labels, value) => series.at(labels).add(value) };
  }

  /**
   * A value that goes up and down, read when the metrics are.
   *
   * @param across - what it is over several processes
   */
  gaugeFrom(spec: MetricSpec<never>, read: ReadSamples, across: Family['across'] = 'sum'): void {
    this.#add(spec, 'gauge', read, across);
  }

  /** A sum that somebody else keeps. */
  counterFrom(spec: MetricSpec<never>, read: ReadSamples): void {
    this.#add(spec, 'counter', read);
  }

  /** All of them, as Prometheus reads them. */
  text(): string {
    return expositionOf(this.families());
  }

  /** All of them, as they are now. */
  families(): readonly Family[] {
    return Array.from(this.#families.values(), (family) => family());
  }

  #add({ name, help }: MetricSpec<string>, type: Family['type'], read: ReadSamples, across?: Family['across']): void {
    if (this.#families.has(name)) throw new Error(`there are two metrics ${name}`);
    this.#families.set(name, () => ({
      name,
      help,
      type,
      samples: [...read()],
      ...(across === undefined ? {} : { across }),
    }));
  }
}

interface Series<T> {
  readonly labels: Labels;
  readonly value: T;
}

/** The series of one metric, by the values of its labels. */
class SeriesTable<L extends string, T> {
  readonly #names: readonly L[];
  readonly #create: () => T;
  readonly #byKey = new Map<string, Series<T>>();

  constructor({ labels }: MetricSpec<L>, create: () => T) {
    this.#names = labels ?? [];
    this.#create = create;
    if (this.#names.length === 0) this.#addAt([]); // it is there from the start, at 0
  }

  at(labels: Readonly<Record<L, string>>): T {
    const values = this.#names.map((name) => labels[name]);
    const found = this.#byKey.get(keyOf(values));
    if (found !== undefined) return found.value;
    return this.#addAt(this.#byKey.size < MAX_SERIES - 1 ? values : values.map(() => OTHER));
  }

  *samples(samplesOf: (value: T, labels: Labels) => Iterable<Sample>): Iterable<Sample> {
    for (const { value, labels } of this.#byKey.values()) yield* samplesOf(value, labels);
  }

  #addAt(values: readonly string[]): T {
    const key = keyOf(values);
    const labels = Object.fromEntries(this.#names.map((name, at) => [name, values[at] ?? '']));
    const series = this.#byKey.get(key) ?? { labels, value: this.#create() };
    this.#byKey.set(key, series);
    return series.value;
  }
}

function keyOf(values: readonly string[]): string {
  return values.join('\0');
}

/** One series of a histogram. */
class Distribution {
  readonly #bounds: readonly number[];
  /** Per bound, of the values that no smaller bound holds; the last is of those above all. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = [...bounds, Infinity].map(() => 0);
  }

  add(value: number): void {
    if (!Number.isFinite(value)) return;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    const slot = at < 0 ? this.#bounds.length : at;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
    this.#sum += value;
  }

  *samples(labels: Labels): Iterable<Sample> {
    let count = 0;
    for (const [at, bound] of [...this.#bounds, '+Inf'].entries()) {
      count += this.#counts[at] ?? 0;
      yield { suffix: '_bucket', labels: { le: String(bound), ...labels }, value: count };
    }
    yield { suffix: '_sum', labels, value: this.#sum };
    yield { suffix: '_count', labels, value: count };
  }
}
