import type { Clock } from '@turnwire/wire/internal/base/clock';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelFacts } from '../options.ts';
import { findByName, indexByName, matches } from './model-names.ts';
import { modelNamed, type ServerModel, type ToldModels } from './server-models.ts';
import { toModelError } from './to-model-error.ts';

/** After this time a list is asked for again, while the old one is used; and one that was not given. */
const FRESH_MS = 5 * 60_000;
const FAILED_MS = 10_000;

/** Asks one server, in bounded time. */
export interface AskModels {
  /** Fails with a `ModelError`. */
  list(): Promise<ToldModels>;
  /** What it tells beside its list, by id. Never fails. */
  facts(models: readonly ServerModel[]): Promise<ReadonlyMap<string, ModelFacts>>;
}

/** How a server answered the question for its models: `told` also where it has no list. */
export type ModelsAnswer = 'told' | 'page' | ModelError;

/** What one server told of its models, and when: the last list that it gave stays until there is another one. */
export class KnownModels {
  readonly #ask: AskModels;
  readonly #clock: Clock;
  readonly #named: readonly string[] | undefined;
  #models: readonly ServerModel[] | undefined;
  #byName: ReadonlyMap<string, ServerModel> = new Map();
  #failure: ModelError | undefined;
  #isPage = false;
  #learned: ReadonlyMap<string, ModelFacts> = new Map();
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  #isAsked: boolean;

  /**
   * @param named - the names that its configuration gives it, `*` for any text; then it is not asked
   */
  constructor(
    { clock, named }: { readonly clock: Clock; readonly named: readonly string[] | undefined },
    ask: AskModels,
  ) {
    this.#ask = ask;
    this.#clock = clock;
    this.#named = named;
    this.#isAsked = named !== undefined;
    if (named !== undefined) this.#keep(named.filter((name) => !name.includes('*')).map(modelNamed));
  }

  /** Undefined: it has no list, or none is known yet. */
  get list(): readonly ServerModel[] | undefined {
    return this.#models;
  }

  /** Why it did not tell, when it was asked last. */
  get failure(): ModelError | undefined {
    return this.#failure;
  }

  /** It told what it has, or did not, at least once. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** Names that stand for what it has, to be compared with another server's. */
  get names(): string | undefined {
    const names = this.#named ?? this.#models?.map(({ id }) => id);
    return names === undefined ? undefined : [...names].sort().join('\n');
  }

  /** It has a model by this name, as it told, or as its configuration does. */
  lists(model: string): boolean {
    return this.#named?.some((pattern) => matches(pattern, model)) ?? this.find(model) !== undefined;
  }

  /** It lists the model, or has told of none: it has no list, or could not be asked. */
  mayHave(model: string): boolean {
    return this.lists(model) || (this.#isAsked && this.#named === undefined && this.#models === undefined);
  }

  /** What it told of a model. */
  find(model: string): ServerModel | undefined {
    return findByName(this.#byName, model);
  }

  /** Begins to ask where what is known is old; the answer is not waited for. */
  keepFresh(): void {
    void this.refreshed(this.#failure === undefined ? FRESH_MS : FAILED_MS);
  }

  /**
   * Settles when what is known is not older than `ms`, or cannot be had, at the latest after some seconds; undefined when there
   * is nothing to wait for. Never rejects.
   */
  refreshed(ms: number): Promise<void> | undefined {
    if (this.#named !== undefined) return undefined;
    if (this.#asking === undefined && this.#clock.now() - this.#askedAt > ms) {
      this.#asking = this.#refresh().finally(() => {
        this.#asking = undefined;
        this.#isAsked = true;
      });
    }
    return this.#asking;
  }

  /** What it says to the question for its models now, whether its answer is used or not. Never rejects. */
  async ask(): Promise<ModelsAnswer> {
    if (this.#named === undefined) {
      await this.refreshed(0);
      return this.#failure ?? (this.#isPage ? 'page' : 'told');
    }
    return this.#ask.list().then((told) => (told === 'page' ? 'page' : 'told'), toModelError);
  }

  /** What it told of a model, in its list and beside it. */
  factsOf(model: string): ModelFacts {
    const found = this.find(model);
    return found === undefined ? {} : { ...found.facts, ...this.#learned.get(found.id) };
  }

  /** Asks what it has to tell beside its list. Never rejects. */
  async learn(): Promise<void> {
    if (this.#named !== undefined || this.#models === undefined) return;
    this.#learned = await this.#ask.facts(this.#models);
  }

  async #refresh(): Promise<void> {
    this.#askedAt = this.#clock.now();
    try {
      const told = await this.#ask.list();
      this.#isPage = told === 'page';
      this.#keep(told === 'page' ? undefined : told);
      this.#failure = undefined;
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      this.#failure = error;
    }
  }

  #keep(models: readonly ServerModel[] = []): void {
    this.#byName = indexByName(models);
    this.#models = models.length === 0 ? undefined : models;
  }
}
