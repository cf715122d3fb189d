/** `turnwire/bridge`: any Responses or Chat Completions client on any model server. */
export { createBridge, type Bridge } from './bridge.ts';
export {
  BridgeOptionsError,
  type BridgeModel,
  type BridgeMode,
  type BridgeOptions,
  type CallerOptions,
  type ModelFacts,
  type ModelMapRow,
  type UpstreamKey,
  type UpstreamOptions,
} from './options.ts';
export { openStore, type ResponseStore, type StoredResponse, type StoreLimits } from './store/index.ts';
export type { ReachState, UpstreamReach } from './upstream/reach.ts';
