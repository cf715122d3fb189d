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
import { Agent, sessionModel } from '../../packages/agent/src/index.ts';
import { createModelClient } from '../../packages/client/src/session/model-client.ts';
import type { ModelObserver } from '../../packages/client/src/observer.ts';
import { createModelSession } from '../../packages/client/src/session/session.ts';
import { createTelemetry } from '../../packages/client/src/telemetry.ts';
import { createProvider } from '../../packages/client/src/provider/provider.ts';
import type { ProtocolId } from '../../packages/wire/src/decoder.ts';
import { startWebSocketServer } from '../transport/support/websocket-server.ts';
import {
  chatAnswer,
  cut,
  chatDelta,
  chatUsage,
  hello,
  messageEvents,
  modelServer,
  outcomeOf,
  providerFor,
  sse,
  status,
  stream,
} from './support.ts';
import { received, send } from './websocket-support.ts';

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

const CONVERSATION = 'gen_ai.conversation.id';

function spanOf(name: string): ReadableSpan | undefined {
  return spans.getFinishedSpans().find((span) => span.name === name);
}

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

/** Answers that name a model, one of each wire, and why each says that it ended. */
const named: readonly { wire: ProtocolId; body: string; reasons: readonly string[] }[] = [
  {
    wire: 'chat',
    // Azure's first chunk names none.
    body: sse(
      { id: 'c1', model: '', choices: [] },
      { model: 'm-0613', choices: [{ index: 0, delta: { content: 'a' }, finish_reason: 'stop' }] },
      chatUsage,
      '[DONE]',
    ),
    reasons: ['stop'],
  },
  {
    wire: 'responses',
    body: sse({ type: 'response.created', response: { id: 'r1', model: 'm-0613' } }, ...messageEvents('a'), {
      type: 'response.completed',
      response: { id: 'r1', usage: { input_tokens: 3, output_tokens: 2 } },
    }),
    reasons: ['completed'],
  },
  {
    wire: 'messages',
    body: sse(
      { type: 'message_start', message: { id: 'm1', model: 'm-0613', content: [], usage: { input_tokens: 3 } } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
      { type: 'message_stop' },
    ),
    reasons: ['end_turn'],
  },
];

test.each(named)('the model that a $wire answer names, and its reason to end', async ({ wire, body, reasons }) => {
  await using server = await modelServer(stream(body));
  const client = createModelClient({ provider: providerFor(server.url, wire), observer });
  await outcomeOf(client.stream(hello));
  await client.close();
  expect(spanOf('chat m')?.attributes).toMatchObject({
    'gen_ai.request.model': 'm',
    'gen_ai.response.model': 'm-0613',
    'gen_ai.response.finish_reasons': reasons,
  });
  const all = await histograms();
  const answered = expect.objectContaining({ 'gen_ai.response.model': 'm-0613' }) as object;
  expect(all.get('gen_ai.client.operation.duration')).toMatchObject([{ attributes: answered }]);
  expect(all.get('gen_ai.client.token.usage')).toMatchObject([{ attributes: answered }, { attributes: answered }]);
});

test('over a WebSocket, too, and a header that names the model wins', async () => {
  const frames = [
    { type: 'response.created', response: { id: 'r1', model: 'm-0613' } },
    { type: 'response.metadata', headers: { 'openai-model': 'm-spark' } },
    { type: 'response.completed', response: { id: 'r1' } },
  ];
  const server = await startWebSocketServer();
  const provider = providerFor(server.url, 'responses', { supportsWebsockets: true });
  const session = createModelSession({ provider, observer });
  const outcome = outcomeOf(session.turn().stream(hello));
  const peer = await server.socket();
  await received(peer);
  send(peer, ...frames);
  await outcome;
  await session.close();
  await server.close();
  expect(spanOf('chat m')?.attributes).toMatchObject({
    'gen_ai.response.model': 'm-spark',
    'gen_ai.response.finish_reasons': ['completed'],
  });
});

test('an answer that was cut says why', async () => {
  const response = { id: 'r1', status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
  await using server = await modelServer(stream(sse({ type: 'response.incomplete', response })));
  const client = createModelClient({ provider: providerFor(server.url, 'responses'), observer });
  await outcomeOf(client.stream(hello));
  await client.close();
  expect(spanOf('chat m')?.attributes).toMatchObject({
    'error.type': 'incomplete',
    'gen_ai.response.finish_reasons': ['max_output_tokens'],
  });
});

test('the thread of an agent is the conversation of its spans, and of no measurement', async () => {
  await using server = await modelServer(stream(chatAnswer()));
  const session = createModelSession({ provider: providerFor(server.url, 'chat'), observer });
  const thread = { id: 'thread-7', items: [], turns: 0, append: () => Promise.resolve() };
  const agent = new Agent({ model: sessionModel(session), request: { model: 'm' }, thread });
  for await (const events of agent.run('hi')) expect(events).not.toEqual([]);
  await session.close();
  const conversations = spans.getFinishedSpans().map(({ name, attributes }) => [name, attributes[CONVERSATION]]);
  expect(conversations).toEqual([
    ['turnwire.attempt', undefined],
    ['chat m', 'thread-7'],
    ['turnwire.turn', 'thread-7'],
  ]);
  const measured = [...(await histograms()).values()].flat().map(({ attributes }) => attributes);
  expect(measured.filter((attributes) => CONVERSATION in (attributes as object))).toEqual([]);
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
