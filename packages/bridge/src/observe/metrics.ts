import { unixSeconds } from '@turnwire/client/internal/platform/wall-time';
import type { Usage } from '@turnwire/wire/internal/model/usage';
import type { Repair } from '@turnwire/wire/internal/repairs';
import type { ExchangeEnd, ExchangeObserver, ExchangeSummary, Observe, ReadRequest } from './observer.ts';
import type { Family } from './exposition.ts';
import { MetricRegistry } from './registry.ts';
import { restStates, type UpstreamStatus } from './upstream-status.ts';
import { version } from './version.ts';

/** The metrics of the bridge, as `GET /metrics` shows them. */
export interface Metrics {
  readonly registry: MetricRegistry;
  /** Counts exchanges. */
  readonly observe: Observe;
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
  addBuildInfo(registry);
  addProcessMetrics(registry);
  addUpstreamMetrics(registry, upstreams);
  const counters = exchangeCounters(registry);
  return { registry, observe: (start) => new ExchangeCounts(counters, start.route) };
}

/** What runs, as labels of a constant: other metrics are joined with it, and two bridges of different versions are seen. */
function addBuildInfo(registry: MetricRegistry): void {
  const labels = { version, node: process.versions.node };
  const info = { name: 'turnwire_build_info', help: 'The version of turnwire and of Node.js; its value is always 1.' };
  registry.gaugeFrom(info, () => [{ labels, value: 1 }], 'first');
}

/** Under the names that Prometheus' own client libraries give them, which dashboards and alerts look for. */
export function addProcessMetrics(registry: MetricRegistry): void {
  const gauge = (name: string, help: string, read: () => number, across?: Family['across']): void =>
    registry.gaugeFrom({ name, help }, () => [{ labels: {}, value: read() }], across);
  const startedAt = Math.round(unixSeconds() - process.uptime());
  const memory = (): number => process.memoryUsage.rss();
  gauge('process_resident_memory_bytes', 'Resident memory.', memory);
  gauge('turnwire_resident_memory_bytes', 'The former name of process_resident_memory_bytes.', memory);
  gauge('process_start_time_seconds', 'When the process began, in seconds since 1970.', () => startedAt, 'least');
  registry.counterFrom({ name: 'process_cpu_seconds_total', help: 'Processor time, of user and system.' }, () => {
    const { user, system } = process.cpuUsage();
    return [{ labels: {}, value: (user + system) / 1e6 }];
  });
}

function exchangeCounters(registry: MetricRegistry) {
  return {
    requests: registry.counter({
      name: 'turnwire_requests_total',
      help: 'Requests by route and by how they ended: completed, refused, or the kind of the error.',
      labels: ['route', 'outcome'],
    }),
    refusals: registry.counter({
      name: 'turnwire_refusals_total',
      help: 'Requests that were refused before a model server was asked, by route, status and code.',
      labels: ['route', 'status', 'code'],
    }),
    errors: registry.counter({
      name: 'turnwire_errors_total',
      help: 'Failed answers by kind of error.',
      labels: ['kind'],
    }),
    repairs: registry.counter({
      name: 'turnwire_repairs_total',
      help: 'What was made good of what model servers did wrong, by repair.',
      labels: ['repair'],
    }),
    heals: registry.counter({
      name: 'turnwire_heals_total',
      help: 'The former name of turnwire_repairs_total.',
      labels: ['fault'],
    }),
    callerRequests: registry.counter({
      name: 'turnwire_caller_requests_total',
      help: 'Requests of callers with names, by how they ended.',
      labels: ['caller', 'outcome'],
    }),
    callerTokens: registry.counter({
      name: 'turnwire_caller_tokens_total',
      help: 'Tokens that upstreams reported for callers with names.',
      labels: ['caller', 'direction'],
    }),
    droppedCalls: registry.counter({
      name: 'turnwire_dropped_tool_calls_total',
      help: 'Tool calls that were not passed on, by reason: not whole, without a name, or ended by stop.',
      labels: ['reason'],
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

type Counters = ReturnType<typeof exchangeCounters>;

/** Counts one exchange. */
class ExchangeCounts implements ExchangeObserver {
  readonly #counters: Counters;
  #route: string;
  #caller: string | undefined;

  constructor(counters: Counters, route: string) {
    this.#counters = counters;
    this.#route = route;
  }

  onCaller(name: string): void {
    this.#caller = name;
  }

  onRequest({ route }: ReadRequest): void {
    this.#route = route;
  }

  onDelay(ms: number): void {
    this.#counters.eventDelay.observe({}, ms / 1000);
  }

  onRepair(repair: Repair): void {
    this.#counters.repairs.inc({ repair });
    this.#counters.heals.inc({ fault: repair });
  }

  onEnd({ outcome, end, firstMs, usage }: ExchangeSummary): void {
    const { requests, firstEvent } = this.#counters;
    const route = this.#route;
    requests.inc({ route, outcome });
    if (this.#caller !== undefined) this.#counters.callerRequests.inc({ caller: this.#caller, outcome });
    if (firstMs !== undefined) firstEvent.observe({ route }, firstMs / 1000);
    if (usage !== undefined) this.onLateUsage(usage);
    if (end.how === 'refused' && outcome !== 'refused') this.#counters.errors.inc({ kind: outcome });
    else this.#countEnd(end);
  }

  onLateUsage({ input_tokens, output_tokens }: Usage): void {
    const { callerTokens } = this.#counters;
    if (this.#caller !== undefined) {
      callerTokens.inc({ caller: this.#caller, direction: 'input' }, input_tokens);
      callerTokens.inc({ caller: this.#caller, direction: 'output' }, output_tokens);
    }
    this.#counters.tokens.inc({ direction: 'input' }, input_tokens);
    this.#counters.tokens.inc({ direction: 'output' }, output_tokens);
  }

  #countEnd(end: ExchangeEnd): void {
    const { errors, refusals, droppedCalls } = this.#counters;
    switch (end.how) {
      case 'completed':
        for (const { reason } of end.event?.dropped_tool_calls ?? []) droppedCalls.inc({ reason });
        return;
      case 'failed':
        if (end.error.kind !== 'aborted') errors.inc({ kind: end.error.kind });
        return;
      case 'refused':
        refusals.inc({ route: this.#route, status: String(end.refusal.status), code: end.refusal.code ?? 'none' });
    }
  }
}

/** What the pool knows anyway is read off it when somebody asks. */
function addUpstreamMetrics(registry: MetricRegistry, upstreams: () => readonly UpstreamStatus[]): void {
  const state = {
    name: 'turnwire_upstream_state',
    help: 'How each model server is: 1 for its state, 0 for the others.',
  };
  registry.gaugeFrom(
    state,
    () =>
      upstreams().flatMap((one) =>
        restStates.map((name) => ({ labels: { upstream: one.label, state: name }, value: one.state === name ? 1 : 0 })),
      ),
    'first',
  );
  const rest = { name: 'turnwire_upstream_rest_seconds', help: 'What is left of the rest of each model server.' };
  registry.gaugeFrom(
    rest,
    () => upstreams().map(({ label, restMs }) => ({ labels: { upstream: label }, value: restMs / 1000 })),
    'first',
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
