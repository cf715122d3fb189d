import type { SessionModeState } from '@agentclientprotocol/sdk';
import type { ApprovalMode, ToolSelection } from '@turnwire/agent';

/** What a mode of the editor means for the agent. */
export interface Mode {
  readonly name: string;
  readonly description: string;
  readonly tools: ToolSelection;
  readonly approvals: ApprovalMode;
}

export const modes = {
  'read-only': {
    name: 'Read only',
    description: 'Looks at files of the project; runs and changes nothing.',
    tools: 'read',
    approvals: 'never',
  },
  ask: {
    name: 'Ask',
    description: 'Asks before every change and every command that does more than read.',
    tools: 'all',
    approvals: 'ask',
  },
  auto: {
    name: 'Auto',
    description: 'Changes files and runs commands without asking.',
    tools: 'all',
    approvals: 'always',
  },
} as const satisfies Record<string, Mode>;

export type ModeId = keyof typeof modes;

export const defaultMode: ModeId = 'ask';

export function isModeId(id: string): id is ModeId {
  return Object.hasOwn(modes, id);
}

export function modeState(current: ModeId): SessionModeState {
  return {
    currentModeId: current,
    availableModes: Object.entries(modes).map(([id, { name, description }]) => ({ id, name, description })),
  };
}
