/**
 * Checks the import table of docs/architecture.md, that no folders import each other in a circle, and that the checker
 * saw the source at all: a cruise that finds
 * no modules finds no violations either.
 */
import { folderCycles } from './folder-cycles.ts';
import { fail, runTool } from './run-tool.ts';

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
  readonly to: string;
}

interface Cruise {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
  readonly summary: { readonly violations: readonly Violation[] };
}

const LEAST_MODULES = 20;
/** The beginning of a path in the source of one package. */
const SOURCE = /^(packages\/\w+|turnwire)\/(?:src|page)\//;

const { stdout, stderr } = runTool('depcruise', [
  'packages/*/src',
  'packages/inspector/page',
  'turnwire/src',
  '--config',
  '.dependency-cruiser.cjs',
  '--output-type',
  'json',
]);
if (!stdout.startsWith('{')) fail(`boundaries: the checker gave no result\n${stderr}`);
const { modules, summary } = JSON.parse(stdout) as Cruise;

const seen = modules.filter(({ source }) => SOURCE.test(source));
const imports = seen.reduce((sum, { dependencies }) => sum + dependencies.length, 0);
if (seen.length <= LEAST_MODULES || imports <= LEAST_MODULES) {
  fail(`boundaries: only ${seen.length} modules with ${imports} imports were seen, so nothing was checked`);
}

for (const { rule, from, to } of summary.violations) process.stderr.write(`${rule.name}: ${from} -> ${to}\n`);
const circles = folderCycles(
  seen.flatMap(({ source, dependencies }) =>
    dependencies
      .filter(({ resolved }) => SOURCE.exec(resolved)?.[0] === SOURCE.exec(source)?.[0])
      .map(({ resolved }) => ({ from: source, to: resolved })),
  ),
);
for (const circle of circles) process.stderr.write(`folders in a circle: ${circle}\n`);
if (circles.length > 0) fail(`boundaries: ${circles.length} circles of folders`);
if (summary.violations.length > 0) fail(`boundaries: ${summary.violations.length} forbidden imports`);
process.stdout.write(`boundaries: ${seen.length} modules, ${imports} imports, none forbidden\n`);
