import type { ClientCapabilities } from '@agentclientprotocol/sdk';
import type { Elicitor } from '@turnwire/agent';

/** What an editor said that it can do, as far as it matters here. */
export interface EditorAbilities {
  /** It reads and writes files, unsaved text included. An editor that can do one of both alone is not asked. */
  readonly files: boolean;
  /** It shows notices beside the conversation. */
  readonly notices: boolean;
  /** It shows that a conversation is summarised. */
  readonly compaction: boolean;
  /** How it asks a person what MCP servers want to know. */
  readonly elicitation: Elicitor['modes'];
}

export function abilitiesOf(capabilities: ClientCapabilities | undefined): EditorAbilities {
  const { fs, session, elicitation } = capabilities ?? {};
  return {
    files: fs?.readTextFile === true && fs.writeTextFile === true,
    notices: isOffered(session?.notices),
    compaction: isOffered(session?.compaction),
    elicitation: (['form', 'url'] as const).filter((mode) => isOffered(elicitation?.[mode])),
  };
}

function isOffered(capability: object | null | undefined): boolean {
  return capability !== undefined && capability !== null;
}
