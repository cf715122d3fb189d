/**
 * Files that replace modules or set what is global, or that measure the memory, the handles or the speed of their process: each
 * runs in a process of its own. The others share one for each worker, which saves starting it and loading turnwire 200 times.
 * `test/docs/test-files.test.ts` knows by which words a file belongs here.
 */
export const alone: readonly string[] = [
  'test/agent/project-files.test.ts',
  'test/agent/tools.test.ts',
  'test/bridge/front.test.ts',
  'test/bridge/huge-bodies.test.ts',
  'test/cli/chat-backend.test.ts',
  'test/client/audit-handles.test.ts',
  'test/client/lifetime.test.ts',
  'test/client/telemetry.test.ts',
  'test/mock/load.test.ts',
  'test/mock/tape-secrets.test.ts',
  'test/transport/http.test.ts',
  'test/wire/linear.test.ts',
  'test/wire/sse.test.ts',
];
