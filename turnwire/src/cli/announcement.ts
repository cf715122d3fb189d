import type { Bridge, BridgeMode } from '@turnwire/bridge';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { ListedModel } from './servers/ask-models.ts';

/** What the announcement is made of. */
export interface Announced {
  readonly websocket: boolean;
  readonly mode: BridgeMode;
  readonly insecure?: boolean;
  readonly searchUrl?: string;
  readonly authTokenEnv?: string;
  readonly contextWindow?: number;
  /** The model of requests that name none. */
  readonly model: string | undefined;
  /** What the upstreams list; empty when they did not tell in time. */
  readonly models: readonly NamedModel[];
}

type NamedModel = Pick<ListedModel, 'id' | 'contextWindow'>;

/** What a user needs next: the block for Codex, and the address for everybody else. */
export function announcement({ url }: Pick<Bridge, 'url'>, about: Announced): string {
  const baseUrl = `${reachable(url)}/v1`;
  const websockets = about.websocket && about.mode !== 'passthrough';
  const lines = [
    `turnwire bridge: listening, base URL ${baseUrl}`,
    ...(reachable(url) === url ? [] : [`Other machines reach it by a name of this one, at ${new URL(url).host}`]),
    ...(about.insecure === true
      ? ['WARNING: no token is asked for (--insecure): whoever reaches this port can use it']
      : []),
    '',
    'For Codex, in ~/.codex/config.toml, above its tables (`turnwire setup codex` puts it there):',
    '',
    ...modelLines(about),
    'model_provider = "turnwire"',
    '',
    '[model_providers.turnwire]',
    'name = "turnwire"',
    `base_url = "${baseUrl}"`,
    'wire_api = "responses"',
    `supports_websockets = ${websockets}`,
    ...(about.searchUrl === undefined ? [] : ['supports_standalone_web_search = true']),
    ...(about.authTokenEnv === undefined ? [] : [`env_key = "${about.authTokenEnv}"`]),
    ...(about.searchUrl === undefined ? [] : ['', '[features]', 'standalone_web_search = true']),
    '',
    `For other clients: OPENAI_BASE_URL=${baseUrl}${
      about.authTokenEnv === undefined ? '' : ` OPENAI_API_KEY=$${about.authTokenEnv}`
    }`,
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** What is listened on is no address for a client, where it stands for all addresses of this machine. */
function reachable(url: string): string {
  return url.replace(/^http:\/\/(?:0\.0\.0\.0|\[::\])(?=:)/, (any) =>
    any.endsWith(']') ? 'http://[::1]' : 'http://127.0.0.1',
  );
}

/** The model and its window; the others that there are stand behind it, for whoever wants another one. */
function modelLines({ model, models, contextWindow }: Announced): readonly string[] {
  const [first, ...others] = models;
  const name = model ?? first?.id ?? 'MODEL';
  const listed = models.find(({ id }) => id === name) ?? (models.length === 1 ? first : undefined);
  const tokens = contextWindow ?? listed?.contextWindow;
  const more = model === undefined && others.length > 0 ? ` # or ${namesOf(others)}` : '';
  return [
    `model = ${JSON.stringify(visible(name))}${more}`,
    ...(tokens === undefined ? [] : [`model_context_window = ${tokens}`]),
  ];
}

const TOLD = 5;

function namesOf(models: readonly NamedModel[]): string {
  const names = models.slice(0, TOLD).map(({ id }) => visible(id));
  return `${names.join(', ')}${models.length > TOLD ? `, ${models.length - TOLD} more` : ''}`;
}
