/** The Agent Client Protocol agent. */
export { createAcpAgent, type AcpAgent, type AcpAgentOptions } from './agent.ts';
export { modes, type Mode, type ModeId } from './modes.ts';
