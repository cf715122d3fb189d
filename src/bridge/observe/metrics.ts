import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { restStates, type UpstreamStatus } from './upstream-status.ts';

/** What the bridge tells about itself under `/metrics`. */
export interface Metrics {
  readonly registry: Registry;
  readonly requests: Counter<'route' | 'outcome'>;
  readonly errors: Counter<'kind'>;
  readonly heals: Counter<'fault'>;
  readonly tokens: Counter<'direction'>;
  /** Seconds from the request's arrival to the first event sent. */
  readonly firstEvent: Histogram<'route'>;
  /** Seconds from events being read off the upstream to their being written to the client. */
  readonly eventDelay: Histogram;
}

/**
 * @param open - tells the number of open streams when it is asked
 * @param upstreams - tells how the model servers are when it is asked
 */
export function createMetrics(open: () => number, upstreams: () => readonly UpstreamStatus[]): Metrics {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: 'turnwire_streams_open',
    help: 'Streams that are open now.',
    registers,
    collect() {
      this.set(open());
    },
  });
  new Gauge({
    name: 'turnwire_resident_memory_bytes',
    help: 'Resident memory.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  addUpstreamMetrics(registry, upstreams);
  return {
    registry,
    requests: new Counter({
      name: 'turnwire_requests_total',
      help: 'Answers by route and by how they ended.',
      labelNames: ['route', 'outcome'],
      registers,
    }),
    errors: new Counter({
      name: 'turnwire_errors_total',
      help: 'Failed answers by kind of error.',
      labelNames: ['kind'],
      registers,
    }),
    heals: new Counter({
      name: 'turnwire_heals_total',
      help: 'Faults of upstreams that were made good, by fault.',
      labelNames: ['fault'],
      registers,
    }),
    tokens: new Counter({
      name: 'turnwire_tokens_total',
      help: 'Tokens that upstreams reported.',
      labelNames: ['direction'],
      registers,
    }),
    firstEvent: new Histogram({
      name: 'turnwire_first_event_seconds',
      help: 'From the request to the first event sent.',
      labelNames: ['route'],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
      registers,
    }),
    eventDelay: new Histogram({
      name: 'turnwire_event_delay_seconds',
      help: 'What the bridge adds to a batch of events.',
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1],
      registers,
    }),
  };
}

/** What the pool knows anyway is read off it when somebody asks. */
function addUpstreamMetrics(registry: Registry, upstreams: () => readonly UpstreamStatus[]): void {
  const registers = [registry];
  new Gauge({
    name: 'turnwire_upstream_state',
    help: 'How each model server is: 1 for its state, 0 for the others.',
    labelNames: ['upstream', 'state'],
    registers,
    collect() {
      for (const { label, state } of upstreams()) {
        for (const one of restStates) this.set({ upstream: label, state: one }, one === state ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'turnwire_upstream_rest_seconds',
    help: 'What is left of the rest of each model server.',
    labelNames: ['upstream'],
    registers,
    collect() {
      for (const { label, restMs } of upstreams()) this.set({ upstream: label }, restMs / 1000);
    },
  });
  new Gauge({
    name: 'turnwire_upstream_streams_open',
    help: 'Streams that are open on each model server now.',
    labelNames: ['upstream'],
    registers,
    collect() {
      for (const { label, open } of upstreams()) this.set({ upstream: label }, open);
    },
  });
  new Counter({
    name: 'turnwire_upstream_failures_total',
    help: 'Failures that count against a model server, by kind of error.',
    labelNames: ['upstream', 'kind'],
    registers,
    collect() {
      this.reset();
      for (const { label, failures } of upstreams()) {
        for (const [kind, count] of failures) this.inc({ upstream: label, kind }, count);
      }
    },
  });
}
