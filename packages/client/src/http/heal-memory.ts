import type { HealName } from '@turnwire/wire/internal/dialects/heals';

/** Models that are remembered: callers name models, so their number is bounded. The oldest goes. */
const MAX_MODELS = 64;
const NONE: ReadonlySet<HealName> = new Set();

/** What each model of one server was found to refuse, so that it is not asked for again. */
export class HealMemory {
  readonly #models = new Map<string, ReadonlySet<HealName>>();

  of(model: string): ReadonlySet<HealName> {
    return this.#models.get(model) ?? NONE;
  }

  add(model: string, heals: ReadonlySet<HealName>): void {
    const [oldest] = this.#models.keys();
    if (!this.#models.has(model) && this.#models.size >= MAX_MODELS && oldest !== undefined)
      this.#models.delete(oldest);
    this.#models.set(model, new Set([...this.of(model), ...heals]));
  }
}
