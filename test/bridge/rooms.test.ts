import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root, runTool } from '../../scripts/run-tool.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwire-rooms-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The rules that a source tree of these files breaks. */
function brokenBy(files: Readonly<Record<string, string>>): readonly string[] {
  const tree = mkdtempSync(join(folder, 'tree-'));
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json']) cpSync(join(root, name), join(tree, name));
  for (const [path, text] of Object.entries(files)) {
    const file = join(tree, path.startsWith('packages/') ? path : `packages/bridge/src/${path}`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const args = ['packages', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  const { stdout } = runTool('depcruise', args, { cwd: tree });
  const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string } }[] } };
  return summary.violations.map(({ rule }) => rule.name);
}

const NOTHING = 'export const nothing = 0;\n';

describe('the rooms of the bridge', { timeout: 60_000 }, () => {
  it('refuse an arrow up, and a room without a row', () => {
    const files = {
      'front/b.ts': NOTHING,
      'observe/a.ts': "import { nothing } from '../front/b.ts';\nexport const a = nothing;\n",
      'upstream/c.ts': "import { a } from '../observe/a.ts';\nexport const c = a;\n",
      'attic/d.ts': "import { c } from '../upstream/c.ts';\nexport const d = c;\n",
    };
    expect(brokenBy(files).toSorted()).toEqual(['bridge-observe-imports', 'bridge-rooms-have-rules']);
  });

  it('let an arrow down pass', () => {
    const down = "import { nothing } from '../observe/a.ts';\nexport const b = nothing;\n";
    expect(brokenBy({ 'observe/a.ts': NOTHING, 'front/b.ts': down })).toEqual([]);
  });
});
