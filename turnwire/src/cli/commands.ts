import type { CreateCommand } from './command-scope.ts';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Loads the command's own file: start-up pays for one command only. */
  load(): Promise<CreateCommand>;
}

/** Every command, in the order of `turnwire --help`. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'chat',
    summary: 'talk to a model in the terminal (what turnwire does without a command)',
    load: async () => (await import('./chat.ts')).createChatCommand,
  },
  {
    name: 'exec',
    summary: 'one turn: streams the answer to stdout',
    load: async () => (await import('./exec.ts')).createExecCommand,
  },
  {
    name: 'run',
    summary: 'start Codex, Claude Code or opencode on any model server',
    load: async () => (await import('./run-command.ts')).createRunCommand,
  },
  {
    name: 'setup',
    summary: "write a client's own configuration, so that it talks to a bridge",
    load: async () => (await import('./setup-command.ts')).createSetupCommand,
  },
  {
    name: 'bridge',
    summary: 'Responses and Chat Completions server in front of any model server',
    load: async () => (await import('./bridge.ts')).createBridgeCommand,
  },
  {
    name: 'inspect',
    summary: 'exchanges of the past in the browser: traces of a bridge, and tapes',
    load: async () => (await import('./inspect.ts')).createInspectCommand,
  },
  {
    name: 'top',
    summary: 'what runs in a bridge, live: who asks what of which server, and why it waits',
    load: async () => (await import('./top.ts')).createTopCommand,
  },
  {
    name: 'mock',
    summary: 'scripted model server with named wire faults',
    load: async () => (await import('./mock.ts')).createMockCommand,
  },
  {
    name: 'record',
    summary: 'record an upstream, chunk for chunk, to files',
    load: async () => (await import('./record.ts')).createRecordCommand,
  },
  {
    name: 'replay',
    summary: 'serve recorded exchanges again',
    load: async () => (await import('./replay.ts')).createReplayCommand,
  },
  {
    name: 'tape',
    summary: 'look at recorded exchanges, and make bug reports of them',
    load: async () => (await import('./tape.ts')).createTapeCommand,
  },
  {
    name: 'mcp',
    summary: 'sign in at MCP servers, and list them',
    load: async () => (await import('./mcp.ts')).createMcpCommand,
  },
  {
    name: 'decode',
    summary: 'raw stream bytes in, canonical events out',
    load: async () => (await import('./decode.ts')).createDecodeCommand,
  },
  {
    name: 'doctor',
    summary: 'examine a model server: what its wire does wrong, and who stumbles over it',
    load: async () => (await import('./doctor.ts')).createDoctorCommand,
  },
  {
    name: 'acp',
    summary: 'agent for editors (Agent Client Protocol) on stdin and stdout',
    load: async () => (await import('./acp.ts')).createAcpCommand,
  },
];
