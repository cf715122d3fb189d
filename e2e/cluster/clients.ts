import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than any answer takes, by far. */
const LATE_MS = 60_000;
/** Requests of each client that begin and end behind what is done to the servers. */
const BEHIND = 3;

/**
 * Clients that talk without a pause, each by asking on from its last answer. Every request has one end, which is counted:
 * `completed`, `failed CODE` within the stream, `STATUS CODE` instead of one, `cut` where the connection broke, `late` where there was none.
 */
export class Clients {
  readonly #url: string;
  readonly #ends = new Map<string, number>();
  /** How many requests of each client have ended; `told` says `end` with each. */
  readonly #ended: number[];
  readonly #told = new EventEmitter();
  readonly #talks: readonly Promise<void>[];
  #stopped = false;
  #longest = 0;

  constructor(url: string, number: number) {
    this.#url = url;
    this.#ended = Array.from({ length: number }, () => 0);
    this.#talks = this.#ended.map((_, client) => this.#talk(client));
  }

  /** Turns of the longest conversation so far, by the number of messages that a model server was sent. */
  get longest(): number {
    return this.#longest;
  }

  /** Lets them go on while something is done and for some requests of each behind it, and tells how what ended meanwhile ended. */
  async during(act: () => unknown = () => undefined): Promise<Readonly<Record<string, number>>> {
    this.#ends.clear();
    await act();
    // One of each may be open now.
    const wanted = this.#ended.map((count) => count + 1 + BEHIND);
    while (this.#ended.some((count, client) => count < (wanted[client] ?? 0))) await once(this.#told, 'end');
    return Object.fromEntries(this.#ends);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#talks);
  }

  async #talk(client: number): Promise<void> {
    let last: string | undefined;
    while (!this.#stopped) {
      const { end, id } = await this.#ask(last);
      this.#ends.set(end, (this.#ends.get(end) ?? 0) + 1);
      this.#ended[client] = (this.#ended[client] ?? 0) + 1;
      this.#told.emit('end');
      last = id;
      if (id === undefined) await sleep(50);
    }
  }

  async #ask(last: string | undefined): Promise<{ readonly end: string; readonly id?: string }> {
    const body = {
      model: 'm',
      input: 'go on',
      stream: true,
      ...(last === undefined ? {} : { previous_response_id: last }),
    };
    const signal = AbortSignal.timeout(LATE_MS);
    try {
      const init = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal,
      };
      const response = await fetch(`${this.#url}/v1/responses`, init);
      const text = await response.text();
      return response.ok ? this.#read(text) : { end: `${response.status} ${codeOf(text)}` };
    } catch {
      return { end: signal.aborted ? 'late' : 'cut' };
    }
  }

  #read(text: string): { readonly end: string; readonly id?: string } {
    const last = text.split('\n').findLast((line) => line.startsWith('data: {')) ?? 'data: {}';
    const { type, response } = JSON.parse(last.slice('data: '.length)) as Last;
    if (type === 'response.failed') return { end: `failed ${String(response?.error?.code)}` };
    if (type !== 'response.completed' || response === undefined) return { end: 'cut' };
    this.#longest = Math.max(this.#longest, Number(/"(\d+) messages/.exec(text)?.[1]));
    return { end: 'completed', id: response.id };
  }
}

interface Last {
  readonly type?: string;
  readonly response?: { readonly id: string; readonly error?: { readonly code?: string } | null };
}

/** Of a proxy's page: that it is one. */
function codeOf(text: string): string {
  if (!text.startsWith('{')) return 'of the proxy';
  return String((JSON.parse(text) as { readonly error?: { readonly code?: string } }).error?.code);
}
