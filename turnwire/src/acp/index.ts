/** The Agent Client Protocol agent. */
export { createAcpAgent, type AcpAgent } from './agent.ts';
export { cutLines, MAX_LINE_BYTES } from './cut-lines.ts';
export { modes, type Mode, type ModeId } from './modes.ts';
export type { AcpAgentOptions } from './options.ts';
export type { AcpModel, ListedModel } from './settings.ts';
