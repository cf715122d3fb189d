import { expect, test } from 'vitest';
import { folderCycles } from '../../scripts/folder-cycles.ts';

const imports = (...lines: string[]) =>
  lines.map((line) => {
    const [from = '', to = ''] = line.split(' -> ');
    return { from, to };
  });

test('folders that stand beside each other may not lead back', () => {
  const oneWay = ['a/turn/x.ts -> a/thread/y.ts', 'a/turn/x.ts -> a/tool.ts', 'a/agent.ts -> a/turn/x.ts'];
  expect(folderCycles(imports(...oneWay))).toEqual([]);
  expect(folderCycles(imports(...oneWay, 'a/thread/z.ts -> a/turn/w.ts'))).toEqual(['a: turn -> thread -> turn']);
});

test('by way of a file beside them', () => {
  const ways = ['a/turn/x.ts -> a/thread/y.ts', 'a/thread/y.ts -> a/agent.ts', 'a/agent.ts -> a/turn/x.ts'];
  expect(folderCycles(imports(...ways))).toEqual(['a: turn -> thread -> agent.ts -> turn']);
});

test('a folder may use what stands beside it, and what is in it', () => {
  const ways = ['a/tools/kinds/x.ts -> a/tools/kind.ts', 'a/tools/table.ts -> a/tools/kinds/x.ts'];
  expect(folderCycles(imports(...ways))).toEqual([]);
  expect(folderCycles(imports(...ways, 'a/tools/kind.ts -> a/tools/table.ts'))).toEqual([
    'a/tools: kinds -> kind.ts -> table.ts -> kinds',
  ]);
});
