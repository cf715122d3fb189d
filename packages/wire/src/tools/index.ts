export type { ToolTarget } from './kinds/client-tool.ts';
export { mapInputItems, type MappedInput } from './history.ts';
export { createToolRestorer, restoreItem, type ToolRestorer } from './restore.ts';
export { createToolMap, type ToolMap, type ToolMapInput, type Uncarried } from './tool-map.ts';
