import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { Elicit } from '../approval/elicitation.ts';

/** How a tool is called. */
export interface McpCall {
  readonly signal: AbortSignal;
  /** Tells the person in one line what happened to the server. */
  readonly say: (text: string) => void;
  /** Asks the person. Absent: nobody can be asked. */
  readonly elicit?: Elicit | undefined;
}

/** The SDK's own timer does not wait for a person: `signal` ends a call. The longest time that a timer of Node takes, in milliseconds. */
export const SDK_TIMEOUT_MS = 2 ** 31 - 1;

/** Calls a tool of a server. Fails with the server's error, or when there is no server any more. */
export type McpCaller = (
  request: { readonly name: string; readonly arguments: JsonObject },
  call: McpCall,
) => Promise<JsonObject>;

/** A server that ends again and again does not work: it is left alone then. */
const MAX_RESTARTS = 3;

/**
 * A running server. One that has ended is started again at the next call, three times in all. The call that it ended in is not made
 * again: nobody knows what it did.
 */
export class McpServerProcess {
  readonly #name: string;
  readonly #start: () => Promise<Client>;
  #client: Promise<Client>;
  #hasEnded = false;
  #isClosed = false;
  #restarts = 0;

  /** `start` starts the program and answers when it is ready; `client` is the first one. */
  constructor(name: string, client: Client, start: () => Promise<Client>) {
    this.#name = name;
    this.#start = start;
    this.#client = Promise.resolve(this.#watch(client));
  }

  readonly call: McpCaller = async (request, { signal, say }) => {
    if (this.#hasEnded) this.#restart(say);
    const client = await this.#client;
    try {
      return await client.callTool(request, undefined, { signal, timeout: SDK_TIMEOUT_MS });
    } catch (error) {
      if (!this.#hasEnded || signal.aborted) throw error;
      throw new Error(`the MCP server ${this.#name} ended while this call ran; what it did of it is unknown`, {
        cause: error,
      });
    }
  };

  /** Ends it for good. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const client = await this.#client.catch(() => undefined);
    await client?.close().catch(() => undefined);
  }

  /** Calls that come meanwhile wait for the same start. */
  #restart(say: (text: string) => void): void {
    if (this.#isClosed || this.#restarts >= MAX_RESTARTS)
      throw new Error(
        `the MCP server ${this.#name} has ended, and is not started again (${this.#restarts} times it was)`,
      );
    this.#restarts += 1;
    this.#hasEnded = false;
    say(`the MCP server ${this.#name} had ended: it is started again (${this.#restarts} of ${MAX_RESTARTS})\n`);
    this.#client = this.#start().then(
      (client) => this.#watch(client),
      (error: unknown) => {
        this.#hasEnded = true;
        throw error;
      },
    );
  }

  #watch(client: Client): Client {
    client.onclose = () => {
      this.#hasEnded = true;
    };
    return client;
  }
}
