/**
 * `turnwire/agent`: the turn loop with tools, approvals and threads, for any front end.
 */
export * from './agent.ts';
export * from './approval.ts';
export * from './events.ts';
export * from './model-port.ts';
export { type QueuedMessage, type SteeringQueue } from './steering-queue.ts';
export * from './tool.ts';
export * from './thread/records.ts';
export { createTools, type ToolSelection, type ToolsetOptions } from './tools/toolset.ts';
export { ThreadError, ThreadStore, type ResumedThread, type ThreadSummary } from './thread/store.ts';
export { sessionModel } from './session-model.ts';
export { defaultInstructions } from './instructions.ts';
export { connectMcpServers, type McpConnections, type McpOptions, type McpServerConfig } from './mcp/connect.ts';
