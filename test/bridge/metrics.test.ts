import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { expositionOf } from '../../packages/bridge/src/observe/exposition.ts';
import { MetricRegistry } from '../../packages/bridge/src/observe/registry.ts';
import { askChat, startRig } from './harness.ts';

describe('metrics', () => {
  it('are written in the text format of Prometheus', () => {
    const registry = new MetricRegistry();
    const requests = registry.counter({ name: 'requests_total', help: 'Requests.', labels: ['route', 'outcome'] });
    registry.counter({ name: 'never_total', help: 'Nothing yet.', labels: ['kind'] });
    registry.counter({ name: 'zero_total', help: 'From the start.' });
    const delay = registry.histogram({ name: 'delay_seconds', help: 'Delay.', labels: ['route'], buckets: [0.1, 1] });
    registry.histogram({ name: 'empty_seconds', help: 'None.', buckets: [1] });
    registry.gaugeFrom({ name: 'open', help: 'Open now.' }, () => [
      { labels: { at: 'a' }, value: 2 },
      { labels: { at: 'b' }, value: Infinity },
    ]);
    registry.counterFrom({ name: 'kept_total', help: 'Elsewhere.' }, () => [{ labels: {}, value: 7 }]);
    requests.inc({ route: 'chat', outcome: 'completed' });
    requests.inc({ outcome: 'completed', route: 'chat' }, 2.5);
    requests.inc({ route: 'chat', outcome: 'aborted' }, 0);
    for (const value of [0.1, 0.25, 3]) delay.observe({ route: 'chat' }, value);
    expect(registry.text()).toBe(`# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{route="chat",outcome="completed"} 3.5
requests_total{route="chat",outcome="aborted"} 0

# HELP never_total Nothing yet.
# TYPE never_total counter

# HELP zero_total From the start.
# TYPE zero_total counter
zero_total 0

# HELP delay_seconds Delay.
# TYPE delay_seconds histogram
delay_seconds_bucket{le="0.1",route="chat"} 1
delay_seconds_bucket{le="1",route="chat"} 2
delay_seconds_bucket{le="+Inf",route="chat"} 3
delay_seconds_sum{route="chat"} 3.35
delay_seconds_count{route="chat"} 3

# HELP empty_seconds None.
# TYPE empty_seconds histogram
empty_seconds_bucket{le="1"} 0
empty_seconds_bucket{le="+Inf"} 0
empty_seconds_sum 0
empty_seconds_count 0

# HELP open Open now.
# TYPE open gauge
open{at="a"} 2
open{at="b"} +Inf

# HELP kept_total Elsewhere.
# TYPE kept_total counter
kept_total 7
`);
  });

  it('let no label or help break out of its line', () => {
    const hostile = 'a"} 1\nforged_total 9 \\';
    const samples = [{ labels: { from: hostile }, value: -Infinity }];
    expect(expositionOf([{ name: 'x', help: hostile, type: 'gauge', samples }])).toBe(
      [
        '# HELP x a"} 1\\nforged_total 9 \\\\',
        '# TYPE x gauge',
        'x{from="a\\"} 1\\nforged_total 9 \\\\"} -Inf',
        '',
      ].join('\n'),
    );
  });

  it('keep a bounded number of series, and count the rest in one', () => {
    const registry = new MetricRegistry();
    const seen = registry.counter({ name: 'seen_total', help: 'Seen.', labels: ['name', 'kind'] });
    for (let at = 0; at < 1200; at++) seen.inc({ name: `n${at % 600}`, kind: 'k' });
    const lines = registry.text().match(/^seen_total.*$/gm) ?? [];
    expect(lines).toHaveLength(500);
    expect(lines[0]).toBe('seen_total{name="n0",kind="k"} 2');
    expect(lines.at(-1)).toBe('seen_total{name="other",kind="other"} 202');
  });

  it('pass over what is no value, and refuse a name that is taken', () => {
    const registry = new MetricRegistry();
    const sum = registry.counter({ name: 'sum_total', help: 'Sum.' });
    for (const by of [-1, NaN, Infinity]) sum.inc({}, by);
    const delay = registry.histogram({ name: 'delay_seconds', help: 'Delay.', buckets: [] });
    for (const value of [NaN, Infinity, -Infinity]) delay.observe({}, value);
    expect(registry.text().match(/^[^#\n].*$/gm)).toEqual([
      'sum_total 0',
      'delay_seconds_bucket{le="+Inf"} 0',
      'delay_seconds_sum 0',
      'delay_seconds_count 0',
    ]);
    expect(() => registry.counter({ name: 'sum_total', help: 'Again.' })).toThrow('there are two metrics sum_total');
  });
});

it('GET /metrics has every metric of the bridge under its name', async () => {
  await using at = await startRig({ wire: 'chat', scenario: 'text' }, { wire: 'chat' });
  expect((await askChat(at.bridge, {})).how).toBe('stop');
  const response = await fetch(`${at.bridge.url}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  expect(text.match(/^# TYPE .*$/gm)).toEqual([
    '# TYPE turnwire_streams_open gauge',
    '# TYPE turnwire_build_info gauge',
    '# TYPE process_resident_memory_bytes gauge',
    '# TYPE turnwire_resident_memory_bytes gauge',
    '# TYPE process_start_time_seconds gauge',
    '# TYPE process_cpu_seconds_total counter',
    '# TYPE turnwire_upstream_state gauge',
    '# TYPE turnwire_upstream_rest_seconds gauge',
    '# TYPE turnwire_upstream_streams_open gauge',
    '# TYPE turnwire_upstream_failures_total counter',
    '# TYPE turnwire_requests_total counter',
    '# TYPE turnwire_refusals_total counter',
    '# TYPE turnwire_errors_total counter',
    '# TYPE turnwire_repairs_total counter',
    '# TYPE turnwire_heals_total counter',
    '# TYPE turnwire_caller_requests_total counter',
    '# TYPE turnwire_caller_tokens_total counter',
    '# TYPE turnwire_dropped_tool_calls_total counter',
    '# TYPE turnwire_tokens_total counter',
    '# TYPE turnwire_first_event_seconds histogram',
    '# TYPE turnwire_event_delay_seconds histogram',
  ]);
  const { version } = JSON.parse(readFileSync('packages/bridge/package.json', 'utf8')) as { version: string };
  expect(text).toContain(`turnwire_build_info{version="${version}",node="${process.versions.node}"} 1\n`);
  expect(text).toContain('turnwire_requests_total{route="chat_sse",outcome="completed"} 1\n');
  expect(text).toContain('turnwire_first_event_seconds_count{route="chat_sse"} 1\n');
  expect(text).toMatch(/^turnwire_upstream_state\{upstream="http:\/\/127\.0\.0\.1:\d+\/v1",state="ready"\} 1$/m);
});
