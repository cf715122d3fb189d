/**
 * The terminal chat, over the agent's events. Nothing here knows of the network or of argv.
 */
export { ChatApp, type ChatEnd, type ChatOptions } from './chat-app.ts';
export type { ChatBackend, ModelChoice, OpenedAgent, OpenedProvider, OpenWhat } from './backend.ts';
