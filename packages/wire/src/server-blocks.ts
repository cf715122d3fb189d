import type { JsonObject } from './base/json.ts';

/**
 * Blocks of tools that Anthropic runs itself, beside those of every answer: `@anthropic-ai/sdk` 1.11.0, `ContentBlock` and
 * `BetaContentBlock`. They are carried from server to client and back, and mean nothing to other servers.
 */
const serverBlocks: ReadonlySet<unknown> = new Set([
  'server_tool_use',
  'web_search_tool_result',
  'web_fetch_tool_result',
  'code_execution_tool_result',
  'bash_code_execution_tool_result',
  'text_editor_code_execution_tool_result',
  'tool_search_tool_result',
  'container_upload',
  'mcp_tool_use',
  'mcp_tool_result',
  'mcp_tool_listing',
  'compaction',
  'fallback',
  'advisor_tool_result',
]);

/** True for a block of such a type. OpenAI has items of the type `compaction`, too, which have no content that can be read. */
export function isServerBlock(block: JsonObject): boolean {
  return serverBlocks.has(block['type']) && (block['type'] !== 'compaction' || 'content' in block);
}
