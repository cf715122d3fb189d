import type { Clock, Timer } from '@turnwire/wire/internal/base/clock';

const ENTER = '\r';
const NEW_LINE = '\n';
/** As a terminal that marks pastes sends it: the key Tab completes. */
const PASTED_TAB = '\x1b[200~\t\x1b[201~';
/** A terminal sends what is pasted at once; no person types on so soon after Enter. */
const BURST_MS = 10;
/** Until then what was typed before the chat began has come, with ends of lines as the terminal's driver makes them. */
const BEFORE_MS = 100;

/**
 * Tells the Enter of a person from the ends of lines in a text that a terminal pastes without saying so (GNU screen 4, some in
 * browsers): after those more comes at once. An Enter is held for that long; of a text with several lines the last one is
 * held back as well, so that the person sees what was pasted before it is sent.
 */
export class KeyBursts {
  readonly #clock: Clock;
  readonly #take: (key: string) => void;
  readonly #isEmpty: () => boolean;
  readonly #began: number;
  #held: Timer | undefined;
  #isPaste = false;
  #latest = -Infinity;

  /** `take`: gets each key, Enter for one that sends and a new line for the others. `isEmpty`: there is no line to send. */
  constructor(clock: Clock, take: (key: string) => void, isEmpty: () => boolean) {
    this.#clock = clock;
    this.#take = take;
    this.#isEmpty = isEmpty;
    this.#began = clock.now();
  }

  key(key: string): void {
    const now = this.#clock.now();
    if (now - this.#latest > 3 * BURST_MS) this.#isPaste = false;
    this.#latest = now;
    const isEarly = key === NEW_LINE && now - this.#began < BEFORE_MS;
    const next = isEarly ? ENTER : key;
    if (this.#held !== undefined) this.#release(next === ENTER || isText(next));
    if (next === '\t' && this.#isPaste) this.#take(PASTED_TAB);
    else if (next !== ENTER || this.#isEmpty()) this.#take(next);
    else this.#held = this.#clock.after(BURST_MS, () => this.#release(false));
  }

  #release(goesOn: boolean): void {
    this.#held?.cancel();
    this.#held = undefined;
    const isLine = goesOn || this.#isPaste;
    this.#isPaste = goesOn;
    this.#take(isLine ? NEW_LINE : ENTER);
  }
}

function isText(key: string): boolean {
  return key === '\t' || (key >= ' ' && key !== '\x7f');
}
