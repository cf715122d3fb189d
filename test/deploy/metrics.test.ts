import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { askChat, post, startRig } from '../bridge/harness.ts';
import { root } from '../docs/examples.ts';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
}

const textOf = (...path: string[]): string => readFileSync(join(root, 'deploy', ...path), 'utf8');
const dashboard = JSON.parse(textOf('grafana', 'turnwire.json')) as Dashboard;

/** Set by Prometheus itself, and by the type of a histogram. */
const OF_PROMETHEUS = ['job', 'instance', 'le'];

/** The labels of each name of a sample, after a request of each kind that the metrics tell apart. */
const labels = new Map<string, Set<string>>();

beforeAll(async () => {
  const faults = ['tool-index-missing', 'status:500'];
  await using at = await startRig(
    { wire: 'chat', scenario: 'parallel-calls', faults: ['stop-with-tools'] },
    { wire: 'chat', toolCallsOnStop: 'drop' },
  );
  await askChat(at.bridge, {});
  await fetch(`${at.bridge.url}/v1/none`);
  await using named = await startRig(
    { wire: 'chat', scenario: 'text' },
    { wire: 'chat', callers: [{ name: 'ann', token: 'sesame' }] },
  );
  const headers = { authorization: 'Bearer sesame' };
  await (await post(named.bridge, '/v1/responses', { model: 'm', input: 'hi' }, { headers })).text();
  await read(named.bridge.url, headers);
  await read(at.bridge.url);
  for (const fault of faults) {
    await using broken = await startRig(
      { wire: 'chat', scenario: 'parallel-calls', faults: [fault] },
      { wire: 'chat' },
    );
    await askChat(broken.bridge, {});
    await read(broken.bridge.url);
  }
});
afterAll(() => labels.clear());

async function read(url: string, headers: Record<string, string> = {}): Promise<void> {
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  for (const [, name = '', list = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const known = labels.get(name) ?? new Set(OF_PROMETHEUS);
    for (const [, label = ''] of list.matchAll(/(\w+)="/g)) known.add(label);
    labels.set(name, known);
  }
}

/** What a query asks: the names of samples and, for each, the labels that it is chosen or summed by. */
function asked(expr: string): { readonly name: string; readonly labels: readonly string[] }[] {
  const groups = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
  return [...expr.matchAll(/\b(turnwire_\w+|process_\w+|nodejs_\w+)\{([^}]*)\}/g)].map(
    ([, name = '', matchers = '']) => ({
      name,
      labels: [...groups, ...[...matchers.matchAll(/(\w+)(?:=|!)/g)].map(([, label = '']) => label)],
    }),
  );
}

describe('the Grafana dashboard', () => {
  it.each(dashboard.panels.map((panel) => [panel.title, panel] as const))('%s: asks for what there is', (_, panel) => {
    for (const { expr } of panel.targets) {
      expect(asked(expr)).not.toEqual([]);
      for (const one of asked(expr)) {
        expect([...labels.keys()]).toContain(one.name);
        expect([...(labels.get(one.name) ?? [])]).toEqual(expect.arrayContaining([...one.labels]));
      }
    }
  });

  it('has panels that do not lie on one another, and variables of metrics that there are', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const definitions = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
    for (const text of definitions) expect(labels.has(/label_values\((\w+)/.exec(text)?.[1] ?? '')).toBe(true);
    expect(definitions).toHaveLength(2);
  });
});

describe('the example for Prometheus', () => {
  it('asks the two bridges of compose.yaml for their metrics, with a token', () => {
    const { scrape_configs: jobs } = parse(textOf('prometheus', 'turnwire.yml')) as {
      scrape_configs: { static_configs: { targets: string[] }[]; authorization: object }[];
    };
    const { services } = parse(textOf('compose.yaml')) as { services: Record<string, unknown> };
    const bridges = Object.keys(services).filter((name) => name.startsWith('bridge-'));
    expect(jobs[0]?.static_configs[0]?.targets).toEqual(bridges.map((name) => `${name}:18080`));
    expect(jobs[0]?.authorization).toEqual({ credentials_file: '/etc/prometheus/turnwire-token' });
  });
});
