import type { ModelServer, ThreadStore } from '@turnwire/agent';
import { ThreadError } from '@turnwire/agent/internal/thread/thread-error';
import { createProvider, type ProviderConfig } from '@turnwire/client/internal/provider/provider';
import { isProtocolId } from '@turnwire/wire/internal/protocols';
import { providersIn, type ConfigFile } from './config-file.ts';

/** The conversation that `--resume` names, and the server that it was with. */
export interface Remembered {
  readonly id: string;
  /** Absent: the thread does not say it. */
  readonly server?: ModelServer;
}

/** What a thread remembers of a provider: no header, no parameter, and of the key the name of its variable. */
export function toModelServer(provider: ProviderConfig): ModelServer {
  const { name, baseUrl, wireApi, model, envKey } = provider;
  return {
    name,
    base_url: withoutQuery(baseUrl),
    wire_api: wireApi,
    ...(model === undefined ? {} : { model }),
    ...(envKey === undefined ? {} : { env_key: envKey }),
  };
}

/** `undefined` for a conversation that cannot be had: who opens it tells why. */
export async function findRemembered(
  resume: string,
  threads: ThreadStore,
  cwd: string,
): Promise<Remembered | undefined> {
  try {
    const id = resume === 'last' ? await threads.last(cwd) : resume;
    const server = await threads.serverOf(id);
    return { id, ...(server === undefined ? {} : { server }) };
  } catch (error) {
    if (error instanceof ThreadError) return undefined;
    throw error;
  }
}

/**
 * The provider that a thread remembers: the one of that name in the configuration, with all that it says there, where it is still the
 * same server; else one with what the thread knows. `undefined` for the scripted one, and for a wire of another version.
 */
export function rememberedProvider(server: ModelServer, files: readonly ConfigFile[]): ProviderConfig | undefined {
  const { name, base_url: baseUrl, wire_api: wireApi, model, env_key: envKey } = server;
  if (server.is_scripted === true || !isProtocolId(wireApi)) return undefined;
  const provider = findConfigured(server, files) ?? createProvider({ name, baseUrl, wireApi, envKey });
  return model === undefined ? provider : { ...provider, model };
}

/** A provider that flags name, with the model that the thread was with where it is the thread's own server: it was chosen there. */
export function withRememberedModel(provider: ProviderConfig, remembered: ModelServer | undefined): ProviderConfig {
  if (remembered?.model === undefined || !isServerOf(remembered, provider)) return provider;
  return { ...provider, model: remembered.model };
}

/** One line where the configuration has the provider no more. A server that flags named was never in it: its name is its address. */
export function noteOfUnlisted(server: ModelServer, files: readonly ConfigFile[]): readonly string[] {
  const { name, base_url: url } = server;
  if (/^https?:/.test(name) || findConfigured(server, files) !== undefined) return [];
  const what = `provider ${JSON.stringify(name)} at ${url} is not in the configuration any more`;
  return [`${what}: the conversation goes on with that server as the thread remembers it`];
}

function findConfigured(server: ModelServer, files: readonly ConfigFile[]): ProviderConfig | undefined {
  return files
    .map((file) => providersIn(file).providers.get(server.name))
    .find((one) => one !== undefined && isServerOf(server, one));
}

function isServerOf({ wire_api: wireApi, base_url: url }: ModelServer, provider: ProviderConfig): boolean {
  return provider.wireApi === wireApi && withoutQuery(provider.baseUrl) === url;
}

/** It may hold a key. */
function withoutQuery(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? '';
}
