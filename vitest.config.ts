import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
    typecheck: { enabled: false },
    // An unhandled rejection anywhere fails the whole run: see docs/architecture.md.
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
