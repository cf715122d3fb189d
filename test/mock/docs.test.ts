import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { faultAliases } from '../../packages/testing/src/faults/aliases.ts';
import { listFaults, scenario, startMock, type Fault } from '../../packages/testing/src/index.ts';

const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8');

describe('docs/testing.md', () => {
  it('has a row for every fault, in the words of the catalogue', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const missing = listFaults().filter(({ name, summary }) => {
      const row = rows.find((line) => new RegExp(`^\\| \`${name}[:\`]`).test(line));
      return row?.replace(/ +\|$/, ' |').endsWith(`| ${summary} |`) !== true; // columns are padded
    });
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('lists what an argument may be, where that is a list', () => {
    const shown = [...page.matchAll(/^- `([\w-]+)`: (`.*`)$/gm)].map(([, name, list]) => [name, list]);
    expect(shown).toEqual(
      listFaults().flatMap(({ name, choices }) =>
        choices === undefined ? [] : [[name, choices.map((choice) => `\`${choice}\``).join(', ')]],
      ),
    );
  });

  it('has a row for every other name', () => {
    const rows = [...page.matchAll(/^\| `([\w-]+)` +\| `([\w-]+)` +\|/gm)].map(([, alias, name]) => [alias, name]);
    expect(rows).toEqual(Object.entries(faultAliases));
  });

  it('names no fault that does not exist', () => {
    const names = new Set(listFaults().map(({ name }) => name));
    const named = page.slice(page.indexOf('## Beside')).matchAll(/`([a-z]+(?:-[a-z0-9]+)+)(?::[^`]*)?`/g);
    const others = [...named].map(([, name]) => name!).filter((name) => !names.has(name));
    expect(others).toEqual([]);
  });

  it("shows a fault of one's own that works", async () => {
    const hooks = { text: (events: string[]) => events.map((event) => event.toUpperCase()) };
    const shout: Fault = {
      text: 'shout',
      spec: { name: 'shout', summary: 'Every event in capitals.', wires: ['chat'], create: () => hooks },
      create: () => hooks,
    };
    await using server = await startMock({ scenario: scenario().text('hello'), faults: [shout] });
    const body = '{"messages":[],"stream":true}';
    const text = await (await fetch(`${server.baseUrl}/chat/completions`, { method: 'POST', body })).text();
    expect(text).toContain('"CONTENT":"HELLO"');
  });
});
