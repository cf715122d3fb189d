/**
 * `turnwire/agent`: the turn loop with tools, approvals and threads, for any front end.
 */
export * from './agent.ts';
export * from './approval/approval.ts';
export type * from './approval/elicitation.ts';
export type { EditorFiles } from './editor-files.ts';
export * from './events.ts';
export type * from './model-port.ts';
export { type QueuedMessage, type SteeringQueue } from './turn/steering-queue.ts';
export * from './tool.ts';
export * from './thread/records.ts';
export { openSandbox, type SandboxOptions } from './sandbox/open.ts';
export { noSandbox, type Argv, type Sandbox, type SandboxLevel, type WrapOptions } from './sandbox/sandbox.ts';
export { createTools, type ToolSelection, type ToolsetOptions } from './tools/toolset.ts';
export type { WebAccess } from './web-access.ts';
export type { ModelServer } from './thread/model-server.ts';
export { ThreadStore, type ResumedThread, type StoredThread, type ThreadSummary } from './thread/store.ts';
export { ThreadError, type ThreadProblem } from './thread/thread-error.ts';
export { listProjectFiles, type ListOptions } from './project/project-files.ts';
export { ProjectDocs, type ProjectDoc } from './project/project-docs.ts';
export { readSkills, type Skill } from './project/skills.ts';
export type { ReadOptions, TextFolder } from './project/text-folder.ts';
export { sessionModel } from './session-model.ts';
export { defaultInstructions } from './instructions.ts';
export {
  openAgent,
  openToolbox,
  type Conversation,
  type OpenAgentOptions,
  type OpenedAgent,
  type Toolbox,
  type ToolboxOptions,
} from './compose.ts';
export type { McpAddress, McpProgram, McpServerConfig } from './mcp/config.ts';
export type { McpCredentials, McpCredentialStore } from './mcp/credentials.ts';
export { connectMcpServers, type McpConnections, type McpOptions } from './mcp/connect.ts';
