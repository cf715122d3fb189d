#!/usr/bin/env node
// The executable. It has to parse, and to say what is wrong, on Nodes far older than the ones turnwire runs on:
// so no static import, no top-level await, and nothing of turnwire is loaded before the version is known.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`turnwire: needs Node 22.19 or newer, this is Node ${process.versions.node}\n`);
  process.exitCode = 2;
} else {
  // Node keeps what it compiled: later starts of the package take a tenth off, of the source tree a third. The bridge
  // runs for hours and does without: functions out of the cache take memory whether they are called or not, 4 MiB of it.
  void import('node:module')
    .then((module) => {
      // In a clone the other packages are found as their sources, without a flag on the command line.
      if (import.meta.url.endsWith('.ts')) {
        module.registerHooks({
          resolve: (name, context, next) =>
            next(name, { ...context, conditions: ['@turnwire/source', ...context.conditions] }),
        });
      }
      if (process.argv[2] !== 'bridge') module.enableCompileCache();
    })
    .then(() => import('./run.ts'))
    .then((cli) => cli.main(process));
}
