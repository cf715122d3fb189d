/**
 * Checks the import table of docs/architecture.md, and that the checker saw the source at all: a cruise that finds
 * no modules finds no violations either.
 */
import { fail, runTool } from './run-tool.ts';

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
  readonly to: string;
}

interface Cruise {
  readonly modules: readonly { readonly source: string; readonly dependencies: readonly unknown[] }[];
  readonly summary: { readonly violations: readonly Violation[] };
}

const LEAST_MODULES = 20;

const { stdout, stderr } = runTool('depcruise', [
  'packages/*/src',
  'turnwire/src',
  '--config',
  '.dependency-cruiser.cjs',
  '--output-type',
  'json',
]);
if (!stdout.startsWith('{')) fail(`boundaries: the checker gave no result\n${stderr}`);
const { modules, summary } = JSON.parse(stdout) as Cruise;

const seen = modules.filter(({ source }) => /^(packages\/\w+|turnwire)\/src\//.test(source));
const imports = seen.reduce((sum, { dependencies }) => sum + dependencies.length, 0);
if (seen.length <= LEAST_MODULES || imports <= LEAST_MODULES) {
  fail(`boundaries: only ${seen.length} modules with ${imports} imports were seen, so nothing was checked`);
}

for (const { rule, from, to } of summary.violations) process.stderr.write(`${rule.name}: ${from} -> ${to}\n`);
if (summary.violations.length > 0) fail(`boundaries: ${summary.violations.length} forbidden imports`);
process.stdout.write(`boundaries: ${seen.length} modules, ${imports} imports, none forbidden\n`);
