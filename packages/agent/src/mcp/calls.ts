import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { ElicitRequestParams, ElicitRequestURLParams, ElicitResult } from '@modelcontextprotocol/sdk/types.js';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { toElicitation } from './elicitation-form.ts';
import { PatientClock } from './patient-clock.ts';
import { requiredAddresses } from './required-addresses.ts';
import type { McpCall } from './server.ts';

/** Addresses that a person was sent to, and of which the server has not said that it is done; also those of one refusal. */
const MAX_ADDRESSES = 16;

/** The calls of one server that run: how long they may, and what the server asks the person meanwhile. */
export class McpCalls {
  /** Stands still while the person is asked. */
  readonly clock: PatientClock;
  readonly #server: string;
  readonly #running = new Set<McpCall>();
  /** Aborts when no call runs any more. */
  #idle = new AbortController();
  readonly #addresses = new Map<string, AbortController>();

  constructor(server: string, clock: Clock) {
    this.#server = server;
    this.clock = new PatientClock(clock);
  }

  /** Fails when `work` does, and after `timeoutMs` in which nobody was asked. */
  async run<T>(call: McpCall, timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const timer = this.clock.after(timeoutMs, () => late.abort());
    this.#running.add(call);
    try {
      return await this.#againWhenDone(call, AbortSignal.any([call.signal, late.signal]), work);
    } catch (error) {
      if (!late.signal.aborted || call.signal.aborted) throw error;
      throw new Error(`the MCP server ${this.#server} gave no answer within ${timeoutMs} ms`, { cause: error });
    } finally {
      timer.cancel();
      this.#running.delete(call);
      if (this.#running.size === 0) this.#beIdle();
    }
  }

  /** A call that is refused until the person has been at addresses is made once more when they have. */
  async #againWhenDone<T>(call: McpCall, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await work(signal);
    } catch (error) {
      const addresses = await requiredAddresses(error, MAX_ADDRESSES);
      for (const address of addresses) if (!(await this.#isDone(address, call, signal))) throw error;
      if (addresses.length === 0) throw error;
    }
    return work(signal);
  }

  async #isDone(address: ElicitRequestURLParams, { elicit }: McpCall, signal: AbortSignal): Promise<boolean> {
    if (elicit === undefined) return false;
    const completed = new AbortController();
    this.#remember(address.elicitationId, completed);
    const elicitation = toElicitation(this.#server, address, { completed: completed.signal, isRequired: true });
    const answer = await this.clock.during(() => elicit(elicitation, { signal }));
    return answer.action === 'accept';
  }

  /** A client of the server, which says that a person may be asked. */
  async createClient(): Promise<Client> {
    // Loaded only where a server is configured: the SDK would double the start-up time of everybody else.
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { ElicitRequestSchema, ElicitationCompleteNotificationSchema } =
      await import('@modelcontextprotocol/sdk/types.js');
    const capabilities = { elicitation: { form: {}, url: {} } };
    const client = new Client({ name: 'turnwire', version: '1' }, { capabilities });
    client.setRequestHandler(ElicitRequestSchema, ({ params }, { signal }) => this.#elicit(params, signal));
    client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) =>
      this.#complete(params.elicitationId),
    );
    return client;
  }

  /**
   * A question belongs to a call; where several run, nobody can know to which: the first is taken. It ends when the server
   * takes it back, and when no call runs any more.
   */
  async #elicit(params: ElicitRequestParams, takenBack: AbortSignal): Promise<ElicitResult> {
    const [call] = this.#running;
    if (call?.elicit === undefined) return { action: 'decline' };
    const { elicit } = call;
    const completed = new AbortController();
    const elicitation = toElicitation(this.#server, params, { completed: completed.signal, isRequired: false });
    const signal = AbortSignal.any([takenBack, this.#idle.signal]);
    const answer = await this.clock.during(() => elicit(elicitation, { signal }));
    if (answer.action !== 'accept') return { action: answer.action };
    if (params.mode === 'url') this.#remember(params.elicitationId, completed);
    return { action: 'accept', ...(answer.content && { content: { ...answer.content } as ElicitResult['content'] }) };
  }

  #remember(id: string, completed: AbortController): void {
    this.#addresses.set(id, completed);
    const [oldest] = this.#addresses.keys();
    if (this.#addresses.size > MAX_ADDRESSES && oldest !== undefined) this.#addresses.delete(oldest);
  }

  #complete(id: string): void {
    this.#addresses.get(id)?.abort();
    this.#addresses.delete(id);
  }

  #beIdle(): void {
    this.#idle.abort();
    this.#idle = new AbortController();
  }
}
