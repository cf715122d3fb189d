import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { McpCredentials, McpCredentialStore } from '@turnwire/agent';
import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { CliContext } from './context.ts';
import { changePrivateFile } from './private-file.ts';
import { stateFolder } from './user-folders.ts';

/** Credentials of MCP servers: `mcp-credentials.json` in the state folder, which only the person may read. */
export class McpCredentialFile implements McpCredentialStore {
  readonly #path: string;

  constructor(cli: Pick<CliContext, 'env' | 'home'>) {
    this.#path = join(stateFolder(cli), 'mcp-credentials.json');
  }

  async read(url: string): Promise<McpCredentials | undefined> {
    const kept = (await this.#read())[url];
    return isCredentials(kept) ? kept : undefined;
  }

  async write(url: string, credentials: McpCredentials | undefined): Promise<void> {
    await changePrivateFile(this.#path, async () => {
      const others = Object.entries(await this.#read()).filter(([each]) => each !== url);
      const kept = credentials === undefined ? others : [...others, [url, credentials]];
      const servers: unknown = Object.fromEntries(kept);
      return `${JSON.stringify({ version: 1, servers }, undefined, 2)}\n`;
    });
  }

  /** A file of another version, one that is damaged, and none hold nothing. */
  async #read(): Promise<JsonObject> {
    const file = parseJson(await readFile(this.#path, 'utf8').catch(() => ''));
    return isObject(file) && file.version === 1 && isObject(file.servers) ? file.servers : {};
  }
}

function isCredentials(kept: unknown): kept is McpCredentials {
  if (!isObject(kept) || !isObject(kept.client) || !isObject(kept.tokens)) return false;
  const texts = [kept.redirectUrl, kept.client.client_id, kept.tokens.access_token, kept.tokens.token_type];
  return texts.every((text) => typeof text === 'string');
}
