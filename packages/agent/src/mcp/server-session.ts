import type { McpAddress } from './config.ts';
import { httpError, statusOf, type McpSession } from './http.ts';
import { SDK_TIMEOUT_MS, type McpCaller } from './server.ts';

/**
 * A server over HTTP. One that has forgotten its session (status 404, says the protocol; 400, say many) has not taken the call: a new
 * session is opened, and the call made once more.
 */
export class McpServerSession {
  readonly #config: McpAddress;
  readonly #open: () => Promise<McpSession>;
  #session: Promise<McpSession>;
  /** Calls may still wait on them, for their time. */
  readonly #forgotten: Promise<McpSession>[] = [];
  #isClosed = false;

  /** `open` opens another session; `session` is the first one. */
  constructor(config: McpAddress, session: McpSession, open: () => Promise<McpSession>) {
    this.#config = config;
    this.#open = open;
    this.#session = Promise.resolve(session);
  }

  readonly call: McpCaller = async (request, { signal, say }) => {
    const used = this.#session;
    // One that could not be opened for an earlier call is tried again.
    const session = await used.catch(() => this.#another(used));
    const options = { signal, timeout: SDK_TIMEOUT_MS };
    const use = ({ client }: McpSession) => client.callTool(request, undefined, options);
    try {
      return await use(session).catch(async (error: unknown) => {
        if (!session.isNumbered || !isForgotten(error)) throw error;
        say(`the MCP server ${this.#config.name} has forgotten its session: a new one is opened\n`);
        return use(await this.#another(used));
      });
    } catch (error) {
      throw statusOf(error) === undefined && !isNetwork(error) ? error : httpError(this.#config, error);
    }
  };

  /** Ends it for good. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const forgotten = this.#forgotten.map((session) => session.then(({ client }) => client.close()));
    await Promise.allSettled([...forgotten, this.#session.then((session) => session.close())]);
  }

  /** Calls that come meanwhile wait for the same one. */
  #another(forgotten: Promise<McpSession>): Promise<McpSession> {
    if (this.#isClosed) throw new Error(`the MCP server ${this.#config.name} is closed`);
    if (this.#session === forgotten) {
      this.#session = this.#open();
      this.#forgotten.push(forgotten);
    }
    return this.#session;
  }
}

function isForgotten(error: unknown): boolean {
  const status = statusOf(error);
  return status === 404 || status === 400;
}

/** What a `fetch` says of a server that it did not reach. */
function isNetwork(error: unknown): boolean {
  return error instanceof TypeError;
}
