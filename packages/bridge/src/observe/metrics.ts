import { MetricRegistry, type Counter, type Histogram } from './registry.ts';
import { restStates, type UpstreamStatus } from './upstream-status.ts';

/** The metrics of the bridge, as `GET /metrics` shows them. */
export interface Metrics {
  readonly registry: MetricRegistry;
  readonly requests: Counter<'route' | 'outcome'>;
  readonly errors: Counter<'kind'>;
  readonly heals: Counter<'fault'>;
  readonly tokens: Counter<'direction'>;
  /** Seconds from the request's arrival to the first event sent. */
  readonly firstEvent: Histogram<'route'>;
  /** Seconds from events being read off the upstream to their being written to the client. */
  readonly eventDelay: Histogram<never>;
}

/**
 * @param open - tells the number of open streams when it is asked
 * @param upstreams - tells how the model servers are when it is asked
 */
export function createMetrics(open: () => number, upstreams: () => readonly UpstreamStatus[]): Metrics {
  const registry = new MetricRegistry();
  registry.gaugeFrom({ name: 'turnwire_streams_open', help: 'Streams that are open now.' }, () => [
    { labels: {}, value: open() },
  ]);
  registry.gaugeFrom({ name: 'turnwire_resident_memory_bytes', help: 'Resident memory.' }, () => [
    { labels: {}, value: process.memoryUsage.rss() },
  ]);
  addUpstreamMetrics(registry, upstreams);
  return {
    registry,
    requests: registry.counter({
      name: 'turnwire_requests_total',
      help: 'Answers by route and by how they ended.',
      labels: ['route', 'outcome'],
    }),
    errors: registry.counter({
      name: 'turnwire_errors_total',
      help: 'Failed answers by kind of error.',
      labels: ['kind'],
    }),
    heals: registry.counter({
      name: 'turnwire_heals_total',
      help: 'Faults of upstreams that were made good, by fault.',
      labels: ['fault'],
    }),
    tokens: registry.counter({
      name: 'turnwire_tokens_total',
      help: 'Tokens that upstreams reported.',
      labels: ['direction'],
    }),
    firstEvent: registry.histogram({
      name: 'turnwire_first_event_seconds',
      help: 'From the request to the first event sent.',
      labels: ['route'],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    }),
    eventDelay: registry.histogram({
      name: 'turnwire_event_delay_seconds',
      help: 'What the bridge adds to a batch of events.',
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1],
    }),
  };
}

/** What the pool knows anyway is read off it when somebody asks. */
function addUpstreamMetrics(registry: MetricRegistry, upstreams: () => readonly UpstreamStatus[]): void {
  const state = {
    name: 'turnwire_upstream_state',
    help: 'How each model server is: 1 for its state, 0 for the others.',
  };
  registry.gaugeFrom(state, () =>
    upstreams().flatMap((one) =>
      restStates.map((name) => ({ labels: { upstream: one.label, state: name }, value: one.state === name ? 1 : 0 })),
    ),
  );
  const rest = { name: 'turnwire_upstream_rest_seconds', help: 'What is left of the rest of each model server.' };
  registry.gaugeFrom(rest, () =>
    upstreams().map(({ label, restMs }) => ({ labels: { upstream: label }, value: restMs / 1000 })),
  );
  const streams = { name: 'turnwire_upstream_streams_open', help: 'Streams that are open on each model server now.' };
  registry.gaugeFrom(streams, () =>
    upstreams().map(({ label, open }) => ({ labels: { upstream: label }, value: open })),
  );
  const failures = {
    name: 'turnwire_upstream_failures_total',
    help: 'Failures that count against a model server, by kind of error.',
  };
  registry.counterFrom(failures, () =>
    upstreams().flatMap(({ label, failures: kinds }) =>
      Array.from(kinds, ([kind, value]) => ({ labels: { upstream: label, kind }, value })),
    ),
  );
}
