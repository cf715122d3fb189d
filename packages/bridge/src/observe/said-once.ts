import type { Logger } from 'pino';

/** So many are remembered, the newest: what is said names what clients ask for. */
const REMEMBERED = 500;

/** Says what is the same for one request after the other, such as what a server lacks, once, and after that at `debug`. */
export class SaidOnce {
  readonly #said = new Set<string>();

  say(log: Logger, level: 'info' | 'warn', fields: object, message: string): void {
    log[this.#isNew(JSON.stringify([message, fields])) ? level : 'debug'](fields, message);
  }

  #isNew(key: string): boolean {
    if (this.#said.has(key)) return false;
    const [oldest] = this.#said;
    if (this.#said.size >= REMEMBERED && oldest !== undefined) this.#said.delete(oldest);
    this.#said.add(key);
    return true;
  }
}
