import type { Logger } from 'pino';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { CompletedEvent, ModelEvent } from '@turnwire/wire/internal/model/events';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { createToolRestorer } from '@turnwire/wire/internal/tools/index';
import { protocols } from '@turnwire/wire/internal/protocols';
import { sealedTurn, startAnswer, type Started } from './attempt.ts';
import { CallGuard } from './stages/call-guard.ts';
import type { HttpResponse } from '@turnwire/client/internal/transport/http';
import { answerHeaders } from '../request/client-kind.ts';
import type { BridgeContext } from './context.ts';
import type { ReplyEncoder } from '../reply/reply-encoder.ts';
import type { Exchange } from '../observe/exchange.ts';
import type { ExchangeEnd } from '../observe/observer.ts';
import { eventBatches } from './event-batches.ts';
import type { EventStage } from './stages/stage.ts';
import { newId, type Prepared } from '../request/prepare.ts';
import type { ReplyWriter } from '../reply/reply-writer.ts';
import { StableIds } from './stages/stable-ids.ts';
import { StateCarrier } from './stages/state-carrier.ts';
import type { OpenStream } from '../upstream/streams.ts';
import type { SealedTurn } from '../upstream/sealed-turn.ts';
import { concealerFor } from '../upstream/conceal.ts';
import { toModelError, type Outcome } from '../upstream/failover.ts';
import type { Lease, Upstream } from '../upstream/pool.ts';

export interface AnswerOptions {
  readonly context: BridgeContext;
  readonly exchange: Exchange;
  readonly prepared: Prepared;
  readonly encoding: ReplyEncoder;
  readonly sink: ReplyWriter;
  /** Caller's headers for the upstream. */
  readonly headers: Readonly<Record<string, string>>;
  readonly turn: SealedTurn | undefined;
  readonly codex: boolean;
  /** Aborted when the client is gone, or the bridge stops the stream. */
  readonly abort: AbortController;
  readonly log: Logger;
  /** Told the sealed turn state, for clients that take it elsewhere than from a header. */
  onTurn?(token: string): void;
  /** The answer is complete, or as complete as a limit let it be; what keeps it runs before the client is told. */
  onEnded?(): Promise<void>;
}

/** Errors that Codex acts upon in the stream, where it only gives up at their status. */
const CODEX_READS_IN_STREAM: ReadonlySet<ModelError['kind']> = new Set<ModelError['kind']>([
  'context_window_exceeded',
  'rate_limited',
]);

/** Answers one request from an upstream; settles when the client has its last byte, or is gone. Never throws. */
export async function answer(options: AnswerOptions): Promise<void> {
  const { context, sink, abort, encoding, exchange } = options;
  let ended = false;
  const stream = {
    active: false,
    lastSentAt: context.settings.clock.now(),
    heartbeat: () => {
      if (!ended) sink.heartbeat();
    },
    stop: () => abort.abort(new ModelError({ kind: 'server_error', message: 'the bridge is shutting down' })),
  };
  context.streams.add(stream);
  let running: { readonly lease: Lease; readonly started: Started } | undefined;
  let end: ExchangeEnd;
  try {
    const outcome = await startAnswer({ ...options, signal: abort.signal });
    if (outcome.ok) running = { lease: outcome.lease, started: outcome.answer };
    const started = begin(options, outcome);
    const event = await relay(options, started, stream);
    outcome.lease.succeeded();
    end = { how: 'completed', event };
  } catch (error) {
    running?.started.call.cancel();
    if (error instanceof ModelError && !abort.signal.aborted) running?.lease.failed(error);
    end = { how: 'failed', error: await fail(options, toModelError(error)) };
  }
  ended = true;
  running?.lease.release();
  if (running !== undefined) exchange.tellRepairs(running.started.repairs);
  exchange.onEnd(end, () => encoding.body);
  await sink.flushed(); // a slow client is still reading: it counts, and a shutdown waits for it
  context.streams.delete(stream);
}

/** Tells the client what is known before the first event; throws the failure where there is nothing else to tell. */
function begin(options: AnswerOptions, outcome: Outcome<Started, HttpResponse>): Started {
  const { sink, exchange } = options;
  const response = outcome.ok ? outcome.answer.response : outcome.refusal;
  exchange.chose(outcome.upstream.label, response?.status);
  const { token, head } = headOf(options, outcome.upstream, response);
  sink.setHeaders(head);
  if (!outcome.ok) throw outcome.failure;
  // Only now: a turn sticks to the upstream that answers, not to one that was left for it.
  if (token !== undefined) options.onTurn?.(token);
  sink.setHeaders({ ...head, ...tellUncarried(options, outcome.answer) });
  return outcome.answer;
}

/** What the client is told of an upstream's headers, whatever its status. */
function headOf(
  { context, turn }: AnswerOptions,
  upstream: Upstream,
  response: HttpResponse | undefined,
): { readonly token: string | undefined; readonly head: Readonly<Record<string, string>> } {
  if (response === undefined) return { token: undefined, head: {} };
  const token = sealedTurn(context, turn, upstream, response);
  const conceal = concealerFor(upstream, context.pool.getEnv);
  const sticky = token === undefined ? {} : { [TURN_STATE_HEADER]: token };
  return { token, head: { ...answerHeaders(response.headers, conceal), ...sticky } };
}

/** What events go through on their way to the encoder, in order. */
function stagesFor({ context, prepared }: AnswerOptions, { tools, repairs }: Started): readonly EventStage[] {
  const restorer = tools?.changed === true ? createToolRestorer(tools) : undefined;
  return [
    new StableIds(repairs),
    new StateCarrier(prepared.wire, () => newId('rs')),
    new CallGuard(context.settings.toolCallsOnStop),
    ...(restorer === undefined ? [] : [{ push: (events: readonly ModelEvent[]) => restorer.restore(events) }]),
  ];
}

/** Passes events on as they come, and waits for the client where it is slower. Returns the last one. */
async function relay(options: AnswerOptions, started: Started, stream: OpenStream): Promise<CompletedEvent> {
  const { sink, encoding, abort, exchange } = options;
  const { repairs } = started;
  let told = 0;
  for await (const events of eventBatches(started.call, stagesFor(options, started), exchange)) {
    const out: WireEvent[] = [];
    const end = encode(encoding, events, out);
    if (repairs.changes !== told) exchange.tellRepairs(repairs);
    told = repairs.changes;
    if (end !== undefined) {
      await complete(options, end, out);
      stream.active = true;
      await started.call.next(); // lets the call close itself
      return end;
    }
    if (out.length > 0) {
      sink.send(out);
      exchange.onSent(out);
    }
    stream.active = true;
    if (abort.signal.aborted) throw abortedError(abort.signal);
    if (sink.full) await sink.drained();
  }
  throw new ModelError({ kind: 'protocol', message: 'the answer ended without an end' });
}

/** Encodes a batch, up to its end; that is returned and still to be encoded. */
function encode(encoding: ReplyEncoder, events: readonly ModelEvent[], out: WireEvent[]): CompletedEvent | undefined {
  for (const event of events) {
    if (event.type === 'completed') return event;
    for (const wireEvent of encoding.push(event)) out.push(wireEvent);
  }
  return undefined;
}

async function complete(options: AnswerOptions, event: CompletedEvent, out: WireEvent[]): Promise<void> {
  const last = options.encoding.push(event);
  await options.onEnded?.();
  if (options.abort.signal.aborted) return;
  const all = [...out, ...last];
  options.sink.finish(all);
  options.exchange.onSent(all);
}

/** Tells the client of a failure, in the way that it can be told; returns the failure as it is told. */
async function fail(options: AnswerOptions, error: ModelError): Promise<ModelError> {
  const { encoding, sink, abort, codex, exchange, prepared } = options;
  const reason: unknown = abort.signal.reason;
  const told = abort.signal.aborted && reason instanceof ModelError ? reason : asLimit(error, codex);
  if (abort.signal.aborted && !(reason instanceof ModelError)) return told; // nobody is there to be told
  const asAnswer = told.kind === 'incomplete' || told.kind === 'content_filter';
  const inStream = codex && encoding.heartbeat !== undefined && CODEX_READS_IN_STREAM.has(told.kind);
  if (!sink.committed && !asAnswer && !inStream) {
    const refusal = protocols[prepared.wire].errorAnswer(told);
    sink.reject(refusal);
    exchange.told(JSON.stringify(refusal));
    return told;
  }
  const last = encoding.fail(told);
  if (asAnswer) await options.onEnded?.();
  sink.finish(last);
  exchange.told(last);
  return told;
}

/**
 * A chat answer that ends in `length` hit either its own limit or the end of the context. Codex needs to hear of the
 * second, since it makes room then; everybody else knows how to go on after an incomplete answer.
 */
function asLimit(error: ModelError, codex: boolean): ModelError {
  const cut = error.kind === 'context_window_exceeded' && error.status === undefined && error.code === undefined;
  if (!cut || codex) return error;
  return new ModelError({
    kind: 'incomplete',
    code: 'max_output_tokens',
    message: 'the answer reached a token limit',
    usage: error.usage,
  });
}

/** What the upstream could not be given is told, not silently dropped. */
function tellUncarried({ log }: AnswerOptions, { uncarried, ignored, notes }: Started): Record<string, string> {
  if (ignored.length > 0) log.info({ fields: ignored }, 'the upstream is not sent some fields of the request');
  if (uncarried.length + notes.length === 0) return {};
  log.warn({ uncarried, notes }, 'the upstream cannot be given all of the request');
  const tools = uncarried.map((one) => (one.name === undefined ? one.type : `${one.type}:${one.name}`));
  const names = new Set([...tools, ...notes.map(subjectOf)]);
  const text = [...names].join(', ').replace(/[^\x20-\x7e]/g, '?');
  return { 'x-turnwire-not-carried': text.slice(0, 1000) };
}

/** What a note is about: the type that it names, else the place in the request. */
function subjectOf(note: string): string {
  return /of type "([^"]+)"/.exec(note)?.[1] ?? note.split(':', 1)[0] ?? '';
}

function abortedError(signal: AbortSignal): ModelError {
  const reason: unknown = signal.reason;
  return reason instanceof ModelError ? reason : new ModelError({ kind: 'aborted', message: 'the client is gone' });
}
