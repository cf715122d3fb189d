import type { Bridge, BridgeMode } from '@turnwire/bridge';
import { reachableUrl } from '@turnwire/client/internal/platform/local-only';
import { visible } from '@turnwire/wire/internal/base/printable';
import { claudeLine } from './clients/claude.ts';
import type { SetupTarget } from './clients/client.ts';
import { codexBlock } from './clients/codex.ts';
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

/** What a user needs next: what `turnwire setup` would write for Codex, the line for Claude Code, and the address for everybody else. */
export function announcement(
  bridge: Pick<Bridge, 'url'> & Partial<Pick<Bridge, 'inspectUrl'>>,
  about: Announced,
): string {
  const url = reachableUrl(bridge.url);
  const target = targetOf(url, about);
  const token = about.authTokenEnv === undefined ? '' : ` OPENAI_API_KEY=$${about.authTokenEnv}`;
  const lines = [
    `turnwire bridge: listening, base URL ${url}/v1`,
    ...(url === bridge.url ? [] : [`Other machines reach it by a name of this one, at ${new URL(bridge.url).host}`]),
    ...(about.insecure === true
      ? ['WARNING: no token is asked for (--insecure): whoever reaches this port can use it']
      : []),
    ...(bridge.inspectUrl === undefined ? [] : [`See what happens in it: ${bridge.inspectUrl}`]),
    '',
    'For Codex, in ~/.codex/config.toml, above its tables (`turnwire setup codex` puts it there):',
    '',
    codexBlock(target).replace(/^model = .*$/m, (line) => line + otherModels(about)),
    'For Claude Code (`turnwire setup claude` puts it into its settings):',
    '',
    claudeLine(target),
    '',
    `For other clients: OPENAI_BASE_URL=${url}/v1${token}`,
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function targetOf(url: string, about: Announced): SetupTarget {
  const { model, models, contextWindow } = about;
  const name = model ?? models[0]?.id ?? 'MODEL';
  const listed = models.find(({ id }) => id === name) ?? (models.length === 1 ? models[0] : undefined);
  return {
    url,
    model: visible(name),
    contextWindow: contextWindow ?? listed?.contextWindow,
    tokenVariable: about.authTokenEnv,
    search: about.searchUrl !== undefined,
    websockets: about.websocket && about.mode !== 'passthrough',
  };
}

/** Those that there are beside the first, for whoever wants another one. */
function otherModels({ model, models }: Announced): string {
  const [, ...others] = models;
  return model === undefined && others.length > 0 ? ` # or ${namesOf(others)}` : '';
}

const TOLD = 5;

function namesOf(models: readonly NamedModel[]): string {
  const names = models.slice(0, TOLD).map(({ id }) => visible(id));
  return `${names.join(', ')}${models.length > TOLD ? `, ${models.length - TOLD} more` : ''}`;
}
