import { defineConfig } from 'vitest/config';
import { alone } from './test/alone.ts';

/** The packages of this workspace are found as their sources: here, in the test processes, and in what these start. */
const source = '@turnwire/source';

export default defineConfig({
  resolve: { conditions: [source] },
  ssr: { resolve: { conditions: [source, 'node'] } },
  test: {
    execArgv: [`--conditions=${source}`],
    env: { NODE_OPTIONS: `--conditions=${source}` },
    globalSetup: 'test/global-setup.ts',
    // They end what hangs, on a busy machine too: no test is about them.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 40_000 } },
    pool: 'forks',
    maxWorkers: 2,
    typecheck: { enabled: false },
    // An unhandled rejection anywhere fails the whole run: see docs/architecture.md.
    dangerouslyIgnoreUnhandledErrors: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'alone',
          include: [...alone],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: [...alone],
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
