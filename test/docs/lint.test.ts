import { dirname } from 'node:path';
import { ESLint, Linter } from 'eslint';
import { expect, it, vi } from 'vitest';
import { sameBranches } from '../../scripts/same-branches.ts';
import { sourceFiles } from '../../scripts/packages.ts';

// Linting begins with loading every plugin.
vi.setConfig({ testTimeout: 60_000 });

const linter = new Linter();

function findings(code: string): readonly string[] {
  const plugins = { turnwire: { rules: { 'same-branches': sameBranches } } };
  const found = linter.verify(code, [{ plugins, rules: { 'turnwire/same-branches': 'error' } }]);
  return found.map(({ line, ruleId, message }) => `${line} ${ruleId ?? message}`);
}

const same = ['1 turnwire/same-branches'];

it.each([
  ['a choice between a value and itself', 'f(x ? a.b : a . b);', same],
  ['an else like its if', 'if (x) { f(); } else { /* other words */ f(); }', same],
  ['a chain that always ends alike, once', 'if (x) f(); else if (y) f(); else f();', same],
  ['a switch with a default', "switch (x) { case 'a': case 'b': f(); break; default: f(); break; }", same],
  ['a choice that decides', 'f(x ? a : b); if (x) f(); else g();', []],
  ['a chain that may do nothing', 'if (x) f(); else if (y) f();', []],
  ['a switch that may do nothing', 'switch (x) { case 1: f(); break; case 2: f(); break; }', []],
  ['strings that look alike without their ends', "f(x ? ['a b'] : ['a', 'b']);", []],
])('same-branches: %s', (_name, code, expected) => {
  expect(findings(code)).toEqual(expected);
});

const clocks = [
  'Date.now()',
  'new Date()',
  'Math.random()',
  'performance.now()',
  'setTimeout(f, 1)',
  'setInterval(f, 1)',
  'setImmediate(f)',
  'crypto.randomUUID()',
];

/** One file of each folder of the source that is neither the platform nor the runtime. */
const files = [...new Map(sourceFiles().map((path) => [dirname(path), path])).values()].filter(
  (path) => !/\/(?:platform|runtime)\//.test(path),
);

it('lets no folder but runtime and platform read the time, roll dice or set a timer', async () => {
  const eslint = new ESLint();
  expect(files.length).toBeGreaterThan(20);
  const allowed: string[] = [];
  for (const file of files) {
    const { rules } = (await eslint.calculateConfigForFile(file)) as { rules: Linter.RulesRecord };
    const names = Object.entries(rules).filter(([name]) => /^no-restricted-(?!imports|exports)/.test(name));
    for (const code of clocks) {
      const found = linter.verify(code, [{ rules: Object.fromEntries(names) }]);
      if (found.length === 0) allowed.push(`${file}: ${code}`);
    }
  }
  expect(allowed).toEqual([]);
});
