/**
 * How many calls of turnwire's own functions one delta of a chat answer costs, and in how many files they are. V8 counts
 * them: the figures are exact, and the same on every machine. Each delta is a chunk of its own, as from a model.
 *
 *   npm run bench:calls             # the figures
 *   npm run bench:calls -- --list   # and every function that is called
 */
import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import { routes, type Route } from './delta-routes.ts';

const DELTAS = 1000;
const WARM_UP = 50;
const root = fileURLToPath(new URL('..', import.meta.url));

interface Called {
  readonly file: string;
  readonly name: string;
  /** Calls per delta. */
  readonly calls: number;
}

async function calledOn(route: Route, session: Session): Promise<readonly Called[]> {
  const { step, close } = await route.open();
  for (let n = 0; n < WARM_UP; n++) await step(n);
  await session.post('Profiler.takePreciseCoverage'); // begins to count anew
  for (let n = 0; n < DELTAS; n++) await step(n);
  const { result } = await session.post('Profiler.takePreciseCoverage');
  await close();
  return result
    .map(({ url, functions }) => ({ file: url.startsWith('file:') ? fileURLToPath(url) : url, functions }))
    .filter(
      ({ file }) =>
        file.startsWith(root) && !file.includes('/node_modules/') && !/^(bench|test)\//.test(file.slice(root.length)),
    )
    .flatMap(({ file, functions }) =>
      functions.map(({ functionName, ranges }) => ({
        file: file.slice(root.length),
        name: functionName === '' ? '(anonymous)' : functionName,
        calls: (ranges[0]?.count ?? 0) / DELTAS,
      })),
    )
    .filter(({ calls }) => calls >= 0.5);
}

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
for (const route of routes) {
  const called = await calledOn(route, session);
  const calls = called.reduce((sum, one) => sum + one.calls, 0);
  const files = new Set(called.map(({ file }) => file));
  console.log(`${route.name}: ${calls.toFixed(0)} calls, ${called.length} functions, ${files.size} files`);
  if (!process.argv.includes('--list')) continue;
  for (const { file, name, calls: n } of called) console.log(`  ${n.toFixed(1).padStart(5)}  ${file}  ${name}`);
}
session.disconnect();
