import type { ProbeWire } from '../wires.ts';

/** A client that was tried, on which wires, and how it is known what it does. */
interface TriedClient {
  /** With the version that was tried. */
  readonly name: string;
  readonly wires: readonly ProbeWire[];
  readonly source: string;
}

const played = 'the package against the scripted server, one run per fault';

/** The clients that were tried. */
export const clients = {
  openai: { name: 'openai 7.55', wires: ['chat', 'responses'], source: `${played} (openai 7.55.0)` },
  aiSdk: {
    name: 'AI SDK 7',
    wires: ['chat', 'responses', 'messages'],
    source: `${played} (ai 7.0.173, @ai-sdk/openai-compatible 3.0.92, @ai-sdk/anthropic 4.0.105)`,
  },
  claude: { name: 'Claude Code 2.1', wires: ['messages'], source: 'the program itself, one run per fault (2.1.197)' },
  anthropic: { name: '@anthropic-ai/sdk 1.11', wires: ['messages'], source: `${played} (test/doctor/anthropic-sdk)` },
  codex: {
    name: 'Codex 0.169',
    wires: ['responses', 'websocket'],
    source: 'the program itself, and its source where a run would take minutes',
  },
  oldCodex: {
    name: 'Codex on the chat wire (to 0.80)',
    wires: ['chat'],
    source: 'its source, and reports of its users',
  },
  opencodex: { name: 'opencodex bridge', wires: ['chat'], source: 'the bridge 2.63.0 itself, one run per fault' },
  opencode: {
    name: 'opencode',
    wires: ['chat', 'responses', 'messages'],
    source: 'the program itself on the Messages wire (1.18.33), elsewhere reports of its users',
  },
  agents: { name: '@openai/agents', wires: ['responses'], source: 'what the package reads of an answer' },
  pi: { name: 'pi-ai 1.5', wires: ['chat', 'responses'], source: played },
  /** The version that was tried on the Messages wire. */
  oldPi: { name: 'pi-ai 0.74', wires: ['messages'], source: `${played} (0.74.2)` },
} as const satisfies Readonly<Record<string, TriedClient>>;

type ClientId = keyof typeof clients;

const says =
  (name: string) =>
  (how: string): string =>
    `${name}: ${how}`;

/** What a client does, in a table. */
export const client = {
  openai: says(clients.openai.name),
  aiSdk: says(clients.aiSdk.name),
  claude: says(clients.claude.name),
  anthropic: says(clients.anthropic.name),
  codex: says(clients.codex.name),
  oldCodex: says(clients.oldCodex.name),
  opencodex: says(clients.opencodex.name),
  opencode: says(clients.opencode.name),
  agents: says(clients.agents.name),
  pi: says(clients.pi.name),
  oldPi: says(clients.oldPi.name),
  naive: says('hand-written clients'),
} as const;

/** True for what a client was seen to do, which says nothing of another wire. */
export function wasTried(stumble: string): boolean {
  return Object.values(clients).some(({ name }) => stumble.startsWith(`${name}: `));
}

const everyMessagesClient: readonly ClientId[] = ['claude', 'anthropic', 'aiSdk', 'oldPi', 'opencode'];

/** Who was seen to get the whole answer all the same, wire by wire: what else is not said to stumble was not measured. */
export const unharmed: Readonly<Partial<Record<ProbeWire, Readonly<Record<string, readonly ClientId[]>>>>> = {
  chat: {
    'done-then-hold': ['openai', 'opencodex'],
    'no-last-blank-line': ['openai', 'opencodex'],
    'tool-index-reused': ['aiSdk'],
    'tool-index-missing': ['aiSdk', 'opencodex'],
  },
  messages: {
    'no-sentinel': ['claude'],
    'no-finish-done': ['claude', 'oldPi'],
    'no-message-start': ['aiSdk', 'oldPi', 'opencode'],
    'no-block-stop': ['anthropic', 'oldPi'],
    'no-event-lines': ['aiSdk', 'opencode'],
    'input-in-start': ['anthropic', 'aiSdk', 'opencode'],
    'text-in-start': ['anthropic'],
    'block-index-gaps': ['claude', 'aiSdk', 'oldPi', 'opencode'],
    'unknown-events': ['claude', 'anthropic', 'oldPi'],
    'failed-then-hold': ['claude', 'anthropic'],
    'unsigned-thinking': ['claude', 'anthropic'],
    'usage-missing': ['claude'],
    'stop-reason-null': ['claude', 'oldPi'],
    'tool-id-shared': ['anthropic', 'aiSdk', 'oldPi'],
    'tool-id-missing': ['oldPi'],
    'tool-interleaved': everyMessagesClient,
    'blocks-overlap': everyMessagesClient,
    comments: everyMessagesClient,
    crlf: everyMessagesClient,
    'one-byte-chunks': everyMessagesClient,
  },
};

/** What is known of one client. */
export interface ClientVerdict {
  readonly client: string;
  readonly outcome: 'stumbles' | 'gets the answer' | 'not measured';
  /** What it does; empty where it does not stumble. */
  readonly does: string;
  /** How that is known. */
  readonly source: string;
}

/** What a finding means for each client of its wire: those that stumble first, then the others. */
export function judgeClients(quirk: string, wire: ProbeWire, stumbles: readonly string[]): readonly ClientVerdict[] {
  const told = stumbles.map(splitStumble);
  if (told.some(({ client }) => /^(nearly )?every/.test(client))) return told;
  const others = (Object.keys(clients) as ClientId[])
    .filter((id) => !told.some(({ client: name }) => name === clients[id].name))
    .filter((id) => wire === 'server' || (clients[id].wires as readonly ProbeWire[]).includes(wire))
    .map((id): ClientVerdict => {
      const fine = unharmed[wire]?.[quirk]?.includes(id) === true;
      const outcome = fine ? 'gets the answer' : 'not measured';
      return { client: clients[id].name, outcome, does: '', source: fine ? clients[id].source : '' };
    });
  return [...told, ...others];
}

/** `openai 7.55: hangs`; who has no name before a colon is everybody. */
function splitStumble(stumble: string): ClientVerdict {
  const known = Object.values(clients).find(({ name }) => stumble.startsWith(`${name}: `));
  if (known !== undefined) {
    const does = stumble.slice(known.name.length + 2);
    return { client: known.name, outcome: 'stumbles', does, source: known.source };
  }
  const [, who = stumble, does = ''] = /^((?:[\w-]+ ){0,4}[\w-]+): (.*)$/.exec(stumble) ?? [];
  return { client: who, outcome: 'stumbles', does, source: '' };
}
