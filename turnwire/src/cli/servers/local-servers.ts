import type { HttpTransport } from '@turnwire/client/internal/transport/http';
import { askModels, type ListedModel } from './ask-models.ts';

/** A program that serves models on this machine, and the port that it takes when nobody says otherwise. */
export interface LocalServer {
  readonly name: string;
  /** With `/v1`. */
  readonly baseUrl: string;
}

/** What is looked for when no model server is named; the ports stand in each program's own documentation. */
export const localServers: readonly LocalServer[] = [
  { name: 'llama.cpp', baseUrl: 'http://127.0.0.1:8080/v1' },
  { name: 'Ollama', baseUrl: 'http://127.0.0.1:11434/v1' },
  { name: 'LM Studio', baseUrl: 'http://127.0.0.1:1234/v1' },
  { name: 'vLLM', baseUrl: 'http://127.0.0.1:8000/v1' },
];

/** One that answered. */
export interface FoundServer extends LocalServer {
  readonly models: readonly ListedModel[];
}

/** A port of this machine that nobody listens on says so at once; a busy server needs a moment. */
const TIMEOUT_MS = 1500;

/**
 * Those of the candidates that list models, asked all at once and for at most a second and a half each. Whoever listens on such
 * a port may be somebody else: what lists no models is passed over.
 */
export async function findLocalServers(
  transport: HttpTransport,
  candidates: readonly LocalServer[] = localServers,
): Promise<readonly FoundServer[]> {
  const asked = candidates.map(async (server): Promise<readonly FoundServer[]> => {
    try {
      const { models } = await askModels(server.baseUrl, {}, transport, AbortSignal.timeout(TIMEOUT_MS));
      return models.length === 0 ? [] : [{ ...server, models }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(asked)).flat();
}
