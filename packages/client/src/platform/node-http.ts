/**
 * What we use of `node:http`, without an `import` of it. Since Node 22.5 that module has `WebSocket` and its events as
 * getters that load Node's own copy of undici, and an `import` reads every export: 13 MiB of memory and 0.1 s of processor
 * time at the start of a process that needs none of it (docs/performance.md). Types are imported from
 * `node:http` as ever.
 */
export const { Agent, createServer, request, STATUS_CODES } = process.getBuiltinModule('node:http');
