import { healed, healFor, type HealName } from '@turnwire/wire/internal/dialects/heals';
import type { ModelError } from '@turnwire/wire/internal/model/errors';
import type { ModelRequest } from '@turnwire/wire/internal/model/request';
import { protocols } from '@turnwire/wire/internal/protocols';
import { chatQuirksOf } from '@turnwire/wire/internal/quirks';
import type { Repairs } from '@turnwire/wire/internal/repairs';
import { unsendableError, type RequestBody } from '@turnwire/wire/internal/request-body';
import type { ProviderConfig } from '../provider/provider.ts';
import type { ServerMemory } from './server-memory.ts';

export interface HealingOptions {
  readonly provider: ProviderConfig;
  readonly memory: ServerMemory;
  /** Records each heal that is tried. Default: nothing is recorded. */
  readonly repairs?: Repairs | undefined;
}

/** One request in the form that its server takes, as far as that is known (docs/contract.md 3.14); over any transport. */
export class HealedRequest {
  readonly #request: ModelRequest;
  readonly #options: HealingOptions;
  readonly #model: string;
  /** Heals that the server was found to need while this request was made. */
  readonly #tried = new Set<HealName>();
  /** Those of them that are remembered once it answers. */
  readonly #learnt = new Set<HealName>();

  constructor(request: ModelRequest, options: HealingOptions) {
    this.#request = request;
    this.#options = options;
    this.#model = request.model ?? options.provider.model ?? '';
  }

  /** The request asks for usage, on a wire that has to be asked. */
  get asksUsage(): boolean {
    const { provider } = this.#options;
    return protocols[provider.wireApi].usageOnRequest && provider.askUsage && !this.#known.has('usage_refused');
  }

  /** @throws ModelError for a file or an image that cannot be sent: the model would answer something else without it */
  body(): RequestBody {
    const { provider } = this.#options;
    const { model, maxOutputTokens } = provider;
    const quirks = chatQuirksOf(provider.baseUrl, this.#model);
    const options = { model, maxOutputTokens, quirks, askUsage: this.asksUsage };
    const { body, notes, unsendable } = protocols[provider.wireApi].toRequest(this.#request, options);
    if (unsendable !== undefined) throw unsendableError(unsendable);
    const mended = healed(body, this.#known);
    return { body: mended.body, notes: [...notes, ...mended.notes] };
  }

  /** True when the refusal names something that the next body does without. Each heal is tried once. */
  amend(refusal: ModelError): boolean {
    const heal = healFor(refusal, this.body().body, this.#known);
    if (heal === undefined) return false;
    this.#options.repairs?.add(heal.name);
    this.#tried.add(heal.name);
    if (heal.once !== true) this.#learnt.add(heal.name);
    return true;
  }

  /** The server answers: what was tried helps, and is not asked for again. */
  accepted(): void {
    if (this.#learnt.size > 0) this.#options.memory.heals.add(this.#model, this.#learnt);
  }

  get #known(): ReadonlySet<HealName> {
    const { memory, provider } = this.#options;
    const remembered = memory.heals.of(this.#model);
    if (!provider.systemAsUser && this.#tried.size === 0) return remembered;
    const asked: readonly HealName[] = provider.systemAsUser ? ['system_between_turns_refused'] : [];
    return new Set([...asked, ...remembered, ...this.#tried]);
  }
}
