import { context, propagation, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type HistogramMetricData,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createModelClient } from '../../packages/client/src/session/model-client.ts';
import type { ModelObserver } from '../../packages/client/src/observer.ts';
import { createModelSession } from '../../packages/client/src/session/session.ts';
import { createTelemetry } from '../../packages/client/src/telemetry.ts';
import { createProvider } from '../../packages/client/src/provider/provider.ts';
import {
  chatAnswer,
  cut,
  chatDelta,
  hello,
  modelServer,
  outcomeOf,
  providerFor,
  sse,
  status,
  stream,
} from './support.ts';

let spans: InMemorySpanExporter;
let measurements: InMemoryMetricExporter;
let tracing: BasicTracerProvider;
let metering: MeterProvider;
let observer: ModelObserver;

beforeEach(() => {
  spans = new InMemorySpanExporter();
  measurements = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  tracing = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const reader = new PeriodicExportingMetricReader({ exporter: measurements, exportIntervalMillis: 3_600_000 });
  metering = new MeterProvider({ readers: [reader] });
  observer = createTelemetry({ tracer: tracing.getTracer('test'), meter: metering.getMeter('test') });
});

afterEach(async () => {
  propagation.disable();
  await tracing.shutdown();
  await metering.shutdown();
});

function nameAndParent(list: readonly ReadableSpan[]): string[] {
  const names = new Map(list.map((span) => [span.spanContext().spanId, span.name]));
  return list.map((span) => `${names.get(span.parentSpanContext?.spanId ?? '') ?? 'root'} > ${span.name}`);
}

async function histograms(): Promise<Map<string, { count: number; sum: number | undefined; attributes: unknown }[]>> {
  await metering.forceFlush();
  const all = measurements.getMetrics().flatMap((resource) => resource.scopeMetrics.flatMap((scope) => scope.metrics));
  return new Map(
    all.map((metric) => [
      metric.descriptor.name,
      (metric as HistogramMetricData).dataPoints.map(({ value, attributes }) => ({
        count: value.count,
        sum: value.sum,
        attributes,
      })),
    ]),
  );
}

test('a span per turn, request and attempt, with usage and the failure of the attempt', async () => {
  await using server = await modelServer(status(503, {}, { 'x-request-id': 'r1' }), stream(chatAnswer()));
  const provider = providerFor(server.url, 'chat', { queryParams: { key: 'secret' } });
  const session = createModelSession({ provider, observer, random: () => 0 });
  const turn = session.turn();
  await outcomeOf(turn.stream(hello));
  await outcomeOf(turn.stream(hello));
  turn.end();
  turn.end();
  await session.close();
  const list = spans.getFinishedSpans();
  expect(nameAndParent(list)).toEqual([
    'chat m > turnwire.attempt',
    'chat m > turnwire.attempt',
    'turnwire.turn > chat m',
    'chat m > turnwire.attempt',
    'turnwire.turn > chat m',
    'root > turnwire.turn',
  ]);
  expect(list[0]?.attributes).toMatchObject({
    'turnwire.attempt': 1,
    'error.type': 'server_overloaded',
    'http.response.status_code': 503,
    'turnwire.request_id': 'r1',
  });
  expect(list[2]?.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'test',
    'gen_ai.request.model': 'm',
    'gen_ai.request.stream': true,
    'openai.api.type': 'chat_completions',
    'gen_ai.response.time_to_first_chunk': expect.any(Number) as number,
    'gen_ai.response.id': 'c1',
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.usage.input_tokens': 3,
    'gen_ai.usage.output_tokens': 2,
    'server.address': '127.0.0.1',
  });
  expect(list[2]?.status.code).toBe(0);
});

test.each([
  ['https://api.openai.com/v1', 'openai'],
  ['https://mine.openai.azure.com/openai/v1', 'azure.ai.openai'],
  ['https://api.groq.com/openai/v1', 'groq'],
  ['https://api.mistral.ai/v1', 'mistral_ai'],
  ['https://api.x.ai/v1', 'x_ai'],
  ['https://generativelanguage.googleapis.com/v1beta/openai', 'gcp.gemini'],
  ['https://europe-west1-aiplatform.googleapis.com/v1', 'gcp.vertex_ai'],
  ['https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1', 'aws.bedrock'],
  ['https://not-groq.com/v1', 'mine'],
])('the provider at %s is called %s, whatever its table is called', (baseUrl, name) => {
  const provider = createProvider({ name: 'mine', baseUrl, wireApi: 'responses' });
  observer.onTurn?.(provider)?.onRequest?.('m', hello)?.onEnd?.();
  expect(spans.getFinishedSpans()[0]?.attributes).toMatchObject({
    'gen_ai.provider.name': name,
    'openai.api.type': 'responses',
  });
});

test('what a request asks for is on its span', () => {
  const outputSchema = { name: 'one', schema: { type: 'object' } };
  const asked = { ...hello, maxOutputTokens: 64, temperature: 0.5, topP: 0.9, outputSchema };
  observer.onTurn?.(providerFor('http://127.0.0.1:9', 'chat'))?.onRequest?.('m', asked)?.onEnd?.();
  expect(spans.getFinishedSpans()[0]?.attributes).toMatchObject({
    'gen_ai.request.max_tokens': 64,
    'gen_ai.request.temperature': 0.5,
    'gen_ai.request.top_p': 0.9,
    'gen_ai.output.type': 'json',
  });
});

test('metrics: usage by direction, duration, time to first chunk', async () => {
  await using server = await modelServer(stream(chatAnswer()));
  const client = createModelClient({ provider: providerFor(server.url, 'chat'), observer });
  await outcomeOf(client.stream(hello));
  await client.close();
  const all = await histograms();
  const usage = all.get('gen_ai.client.token.usage') ?? [];
  expect(
    usage.map(({ sum, attributes }) => [(attributes as Record<string, string>)['gen_ai.token.type'], sum]),
  ).toEqual([
    ['input', 3],
    ['output', 2],
  ]);
  expect(all.get('gen_ai.client.operation.duration')).toMatchObject([{ count: 1 }]);
  expect(all.get('gen_ai.client.operation.time_to_first_chunk')).toMatchObject([{ count: 1 }]);
  expect(nameAndParent(spans.getFinishedSpans()).at(-1)).toBe('root > turnwire.turn');
});

test('a failed request: its kind, on the span and the duration', async () => {
  await using server = await modelServer(cut(sse(chatDelta('a'))));
  const client = createModelClient({ provider: providerFor(server.url, 'chat'), observer });
  await outcomeOf(client.stream(hello));
  await client.close();
  const request = spans.getFinishedSpans().find((span) => span.name === 'chat m');
  expect(request?.attributes).toMatchObject({ 'error.type': 'stream_truncated' });
  expect(request?.status).toMatchObject({ code: 2 });
  const duration = (await histograms()).get('gen_ai.client.operation.duration');
  expect(duration).toMatchObject([{ attributes: { 'error.type': 'stream_truncated' } }]);
});

test('a consumer that leaves ends every span, once', async () => {
  await using server = await modelServer(stream(sse(chatDelta('a')), { hold: true }));
  const client = createModelClient({ provider: providerFor(server.url, 'chat'), observer });
  for await (const event of client.stream(hello)) if (event.type === 'output_text.delta') break;
  await client.close();
  expect(spans.getFinishedSpans().map((span) => span.name)).toEqual(['turnwire.attempt', 'chat m', 'turnwire.turn']);
});

test('the trace goes along in traceparent, under the attempt', async () => {
  propagation.setGlobalPropagator({
    inject(active, carrier, setter) {
      const span = trace.getSpanContext(active);
      setter.set(carrier, 'traceparent', `00-${span?.traceId}-${span?.spanId}-01`);
    },
    extract: (active) => active,
    fields: () => ['traceparent'],
  });
  await using server = await modelServer(stream(chatAnswer()));
  const client = createModelClient({ provider: providerFor(server.url, 'chat'), observer });
  await outcomeOf(client.stream(hello));
  await client.close();
  const attempt = spans
    .getFinishedSpans()
    .find((span) => span.name === 'turnwire.attempt')
    ?.spanContext();
  expect(server.requests[0]?.headers.traceparent).toBe(`00-${attempt?.traceId}-${attempt?.spanId}-01`);
});

test('without an SDK it does nothing, and sends nothing', async () => {
  await using server = await modelServer(stream(chatAnswer()));
  const client = createModelClient({ provider: providerFor(server.url, 'chat'), observer: createTelemetry() });
  const { error } = await outcomeOf(client.stream(hello));
  await client.close();
  expect(error).toBeUndefined();
  expect(server.requests[0]?.headers.traceparent).toBeUndefined();
  expect(trace.getSpan(context.active())).toBeUndefined();
});
