import { nearest } from '@turnwire/wire/internal/base/nearest';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import { unlessAborted } from '@turnwire/client/internal/platform/wait';
import type { ModelFacts, ModelMapRow } from '../options.ts';
import type { KnownModels } from './known-models.ts';
import { mapModel } from './model-map.ts';
import { modelNamed, type ServerModel } from './server-models.ts';

/** A server that the catalogue knows the models of. */
export interface Listing {
  readonly models: KnownModels;
}

export interface CatalogueOptions {
  readonly map: readonly ModelMapRow[];
  /** The model of requests that name none. */
  readonly model?: string | undefined;
  /** What the configuration knows of models. */
  readonly modelFacts: Readonly<Record<string, ModelFacts>>;
}

/** A name that no server had is asked for again after this time: somebody may have loaded the model. */
const UNKNOWN_MS = 10_000;
/** A list that somebody asks for is not older than this. */
const LISTED_MS = 1000;
/** So many names an error tells. */
const TOLD = 20;

/** The models of all servers: who has which, and what all of them have together. */
export class Catalogue<Server extends Listing> {
  readonly #servers: readonly Server[];
  readonly #options: CatalogueOptions;

  constructor(servers: readonly Server[], options: CatalogueOptions) {
    this.#servers = servers;
    this.#options = options;
  }

  /** The name that servers are asked for when a client asks for `model`, or for none. */
  nameFor(model: string | undefined): string | undefined {
    const named = model ?? this.#options.model;
    return named === undefined ? undefined : mapModel(this.#options.map, named);
  }

  /** Which server is asked may depend on the model. */
  get chooses(): boolean {
    return this.#servers.length > 1 && !(this.#servers.every(({ models }) => models.isAsked) && this.#isOneList());
  }

  /**
   * The servers that are not asked for a model, under the name that servers know. Where all that have a list have the same one,
   * there is nothing to choose: servers that answer to any name do, others say themselves that they lack it
   * (docs/decisions/0020-models.md).
   *
   * @throws ModelError 404 when no server can have it
   */
  async lacking(model: string | undefined, signal: AbortSignal): Promise<ReadonlySet<Server>> {
    if (model === undefined || this.#servers.length < 2) return new Set();
    for (const { models } of this.#servers) models.keepFresh();
    await this.#until(() => this.#isListed(model) || !this.chooses, UNKNOWN_MS, signal);
    if (!this.#isListed(model) && this.#isOneList()) return new Set();
    const lacking = this.#servers.filter(({ models }) => !models.mayHave(model));
    if (lacking.length === this.#servers.length) throw this.#unknown(model);
    return new Set(lacking);
  }

  /**
   * All models, each once, as it is listed first, and the names that lead to one of them.
   *
   * @throws ModelError when no server tells what it has
   */
  async list(signal: AbortSignal): Promise<readonly ServerModel[]> {
    await this.#until(() => false, LISTED_MS, signal);
    const listed = this.#servers.flatMap(({ models }) => models.list ?? []);
    const { model, map } = this.#options;
    const failure = this.#servers.map(({ models }) => models.failure).find((one) => one !== undefined);
    if (listed.length === 0 && failure !== undefined) throw failure;
    const names = [
      ...map.map(({ pattern }) => pattern).filter((name) => !name.includes('*')),
      ...(model === undefined ? [] : [model]),
    ];
    const byId = new Map<string, ServerModel>();
    for (const one of [...listed, ...names.map((name) => this.#called(name))]) {
      if (!byId.has(one.id)) byId.set(one.id, one);
    }
    return [...byId.values()];
  }

  /** What is known of each, told by their servers or by the configuration, whose word goes before theirs. */
  async facts(names: readonly string[]): Promise<ReadonlyMap<string, ModelFacts>> {
    await Promise.all(this.#servers.map(({ models }) => models.learn()));
    return new Map(names.map((name) => [name, this.#factsOf(mapModel(this.#options.map, name))]));
  }

  #factsOf(model: string): ModelFacts {
    const lister = this.#servers.find(({ models }) => models.find(model) !== undefined);
    return { ...lister?.models.factsOf(model), ...this.#configured(model) };
  }

  /** The window of a model on one server, where it is known by now. */
  windowOn({ models }: Listing, model: string | undefined, usual: number | undefined): number | undefined {
    if (model === undefined) return usual;
    return this.#configured(model).contextWindow ?? usual ?? models.factsOf(model).contextWindow;
  }

  #configured(model: string): ModelFacts {
    const { modelFacts } = this.#options;
    return Object.hasOwn(modelFacts, model) ? (modelFacts[model] ?? {}) : {};
  }

  /** One model under the name that a client has for it; undefined where no server lists it, nor can have it. */
  async find(name: string, signal: AbortSignal): Promise<ServerModel | undefined> {
    const model = this.nameFor(name) ?? name;
    await this.#until(() => this.#isListed(model), UNKNOWN_MS, signal);
    const found = this.#find(model);
    return found === undefined ? undefined : { ...found, id: name, entry: { ...found.entry, id: name } };
  }

  /** The same failure with the names that there are, where it is one of a server that lacks the model. */
  async withNames(failure: ModelError, signal: AbortSignal): Promise<ModelError> {
    await this.#until(() => false, UNKNOWN_MS, signal);
    const names = this.#names();
    return names.length === 0
      ? failure
      : failure.with({ message: `${failure.message} (models here: ${listOf(names)})` });
  }

  #called(name: string): ServerModel {
    const target = this.#find(mapModel(this.#options.map, name)) ?? modelNamed(name);
    return { ...target, id: name, entry: { ...target.entry, id: name } };
  }

  #find(model: string): ServerModel | undefined {
    return this.#servers.map(({ models }) => models.find(model)).find((found) => found !== undefined);
  }

  #isListed(model: string): boolean {
    return this.#servers.some(({ models }) => models.lists(model));
  }

  /** True where the lists that there are say the same. */
  #isOneList(): boolean {
    return new Set(this.#servers.flatMap(({ models }) => models.names ?? [])).size < 2;
  }

  /** Asks the servers whose lists are older than `ms`, and waits until all have answered, or what is known will do. */
  async #until(isEnough: () => boolean, ms: number, signal: AbortSignal): Promise<void> {
    if (isEnough()) return;
    const asked = this.#servers.flatMap(({ models }) => models.refreshed(ms) ?? []);
    const enough = Promise.withResolvers<unknown>();
    for (const one of asked) void one.then(() => isEnough() && enough.resolve(undefined));
    await unlessAborted(Promise.race([enough.promise, Promise.all(asked)]), signal);
  }

  #names(): readonly string[] {
    return [...new Set(this.#servers.flatMap(({ models }) => models.list?.map(({ id }) => id) ?? []))];
  }

  #unknown(model: string): ModelError {
    const names = this.#names();
    const near = nearest(model, names);
    const meant = near === undefined ? '' : ` (did you mean ${near}?)`;
    return new ModelError({
      kind: 'invalid_request',
      status: 404,
      code: 'model_not_found',
      errorType: 'invalid_request_error',
      param: 'model',
      message: `no model server here has ${JSON.stringify(model)}${meant}; there are: ${listOf(names)}`,
    });
  }
}

function listOf(names: readonly string[]): string {
  const more = names.length - TOLD;
  return `${names.slice(0, TOLD).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
