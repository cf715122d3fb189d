import type { Logger } from 'pino';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { CompletedEvent, ModelEvent, Usage } from '@turnwire/wire/internal/model/events';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { createToolRestorer } from '@turnwire/wire/internal/tools/index';
import { sealedTurn, startAnswer, type Started } from './attempt.ts';
import { CallGuard } from '@turnwire/wire/internal/stages/call-guard';
import { Compaction } from './stages/compaction.ts';
import type { HttpResponse } from '@turnwire/client/internal/transport/http';
import { answerHeaders, withoutLimits } from '../request/client-kind.ts';
import type { BridgeContext } from './context.ts';
import type { ReplyEncoder } from '../reply/reply-encoder.ts';
import type { Exchange } from '../observe/exchange.ts';
import type { ExchangeEnd } from '../observe/observer.ts';
import { eventBatches } from './event-batches.ts';
import type { EventStage } from '@turnwire/wire/internal/stages/stage';
import { newId, type Prepared } from '../request/prepare.ts';
import { ReplyHead } from '../reply/reply-head.ts';
import type { ReplyWriter } from '../reply/reply-writer.ts';
import { emptyArguments } from '@turnwire/wire/internal/stages/empty-arguments';
import { MakerLabel } from './stages/maker-label.ts';
import { StateCarrier } from './stages/state-carrier.ts';
import type { OpenStream } from '../upstream/streams.ts';
import type { SealedTurn } from '../upstream/sealed-turn.ts';
import { concealerFor } from '../upstream/conceal.ts';
import { asBridgesOwn, finalForCodex } from '../upstream/bridges-own.ts';
import type { Outcome } from '../upstream/failover.ts';
import { toModelError } from '../upstream/to-model-error.ts';
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
  /** Its usage came when the client had it; settles when it is kept. */
  onLateUsage?(usage: Usage): Promise<void>;
}

/** An answer on its way. */
interface Answering extends AnswerOptions {
  readonly head: ReplyHead;
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
      if (!ended) giveSign(options);
    },
    stop: () => abort.abort(new ModelError({ kind: 'server_error', message: 'the bridge is shutting down' })),
  };
  context.streams.add(stream);
  const run: Answering = { ...options, head: new ReplyHead(sink) };
  let running: { readonly lease: Lease; readonly started: Started } | undefined;
  let end: ExchangeEnd;
  try {
    const outcome = await startAnswer({ ...options, signal: abort.signal });
    if (outcome.ok) running = { lease: outcome.lease, started: outcome.answer };
    const started = begin(run, outcome);
    const event = await relay(run, started, stream);
    outcome.lease.succeeded();
    end = { how: 'completed', event };
  } catch (error) {
    running?.started.call.cancel();
    if (error instanceof ModelError && !abort.signal.aborted) running?.lease.failed(error);
    const failure = toModelError(error);
    const told = running === undefined ? failure : asBridgesOwn(failure, running.lease.upstream);
    end = { how: 'failed', error: await fail(run, told) };
  }
  ended = true;
  running?.lease.release();
  if (running !== undefined) exchange.tellRepairs(running.started.repairs);
  exchange.onEnd(end, () => encoding.body);
  void takeLateUsage(options, running?.started); // bounded in time; the next request on a socket does not wait for it
  await sink.flushed(); // a slow client is still reading: it counts, and a shutdown waits for it
  context.streams.delete(stream);
}

/** A sign of life: the beginning of an answer of which there is nothing yet, where the client's wire has one. */
function giveSign({ sink, encoding, exchange }: AnswerOptions): void {
  const beginning = sink.committed ? [] : (encoding.begin?.() ?? []);
  if (beginning.length === 0) {
    sink.heartbeat();
    return;
  }
  sink.send(beginning);
  exchange.told(beginning);
}

/** Usage behind the answer is late for its client, and still counts for those who watch, and in what is kept. */
async function takeLateUsage(options: AnswerOptions, started: Started | undefined): Promise<void> {
  const usage = await started?.lateUsage();
  if (usage === undefined) return;
  options.exchange.onLateUsage(usage);
  await options.onLateUsage?.(usage);
}

/** Tells the client what is known before the first event; throws the failure where there is nothing else to tell. */
function begin(options: Answering, outcome: Outcome<Started, HttpResponse>): Started {
  const { exchange, head } = options;
  const response = outcome.ok ? outcome.answer.response : outcome.refusal;
  exchange.chose(outcome.upstream.label, response?.status);
  const { token, fields } = headOf(options, outcome.upstream, response);
  head.set(fields);
  if (!outcome.ok) throw asBridgesOwn(outcome.failure, outcome.upstream);
  // Only now: a turn sticks to the upstream that answers, not to one that was left for it.
  if (token !== undefined) options.onTurn?.(token);
  tellUncarried(options, outcome.upstream.label, outcome.answer);
  return outcome.answer;
}

/** What the client is told of an upstream's headers, whatever its status. */
function headOf(
  { context, turn, prepared }: AnswerOptions,
  upstream: Upstream,
  response: HttpResponse | undefined,
): { readonly token: string | undefined; readonly fields: Readonly<Record<string, string>> } {
  if (response === undefined) return { token: undefined, fields: {} };
  const token = sealedTurn(context, turn, upstream, response);
  const conceal = concealerFor(upstream);
  const asked = prepared.parsed.request.model;
  const isMapped = asked !== undefined && context.pool.catalogue.nameFor(asked) !== asked;
  const all = answerHeaders(response.headers, conceal);
  const told = context.caller === undefined ? all : withoutLimits(all);
  // The client knows the model by another name, and would take this one for another model.
  if (isMapped) delete told['openai-model'];
  const sticky = token === undefined ? {} : { [TURN_STATE_HEADER]: token };
  return { token, fields: { ...told, ...sticky } };
}

/** What events go through on their way to the encoder, in order. */
function stagesFor({ context, prepared }: AnswerOptions, { tools, maker, summarises }: Started): readonly EventStage[] {
  const restorer = tools?.changed === true ? createToolRestorer(tools) : undefined;
  return [
    ...(context.pool.hasSeveralMakers ? [new MakerLabel(maker)] : []),
    ...(prepared.compacts ? [new Compaction(summarises, () => newId('cmp'))] : []),
    new StateCarrier(prepared.wire, () => newId('rs')),
    new CallGuard(context.settings.toolCallsOnStop),
    ...(restorer === undefined ? [] : [{ push: (events: readonly ModelEvent[]) => restorer.restore(events) }]),
    emptyArguments,
  ];
}

/** Passes events on as they come, and waits for the client where it is slower. Returns the last one. */
async function relay(options: Answering, started: Started, stream: OpenStream): Promise<CompletedEvent> {
  const { sink, encoding, abort, exchange } = options;
  const { repairs } = started;
  let told = 0;
  for await (const events of eventBatches(started.call, stagesFor(options, started), exchange)) {
    const out: WireEvent[] = [];
    const end = encode(encoding, events, out);
    throwFailure(options, out);
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
      stream.active = true;
    }
    if (abort.signal.aborted) throw abortedError(abort.signal);
    if (sink.full) await sink.drained();
  }
  throw new ModelError({ kind: 'protocol', message: 'the answer ended without an end' });
}

/** What the client's wire cannot end well is a failure: a status where nothing was sent, else the events that tell it. */
function throwFailure({ encoding, sink }: Answering, out: readonly WireEvent[]): void {
  if (encoding.failure === undefined) return;
  if (sink.committed) sink.send(out);
  throw encoding.failure;
}

/** Encodes a batch, up to its end; that is returned and still to be encoded. */
function encode(encoding: ReplyEncoder, events: readonly ModelEvent[], out: WireEvent[]): CompletedEvent | undefined {
  for (const event of events) {
    if (event.type === 'completed') return event;
    for (const wireEvent of encoding.push(event)) out.push(wireEvent);
  }
  return undefined;
}

async function complete(options: Answering, event: CompletedEvent, out: WireEvent[]): Promise<void> {
  const last = options.encoding.push(event);
  throwFailure(options, [...out, ...last]);
  tellLost(options, event);
  await options.onEnded?.();
  // One that was cancelled, or whose bridge ends, while it was kept is whole all the same, and somebody may wait for its end.
  if (isDeserted(options.abort.signal)) return;
  const all = [...out, ...last];
  options.sink.finish(all);
  options.exchange.onSent(all);
}

/** Tells the client of a failure, in the way that it can be told; returns what is known of it. */
async function fail(options: Answering, error: ModelError): Promise<ModelError> {
  const { encoding, sink, abort, codex, exchange, prepared } = options;
  const reason: unknown = abort.signal.reason;
  const failure =
    abort.signal.aborted && reason instanceof ModelError
      ? reason
      : asLimit(error, codex || tellsFullContext[prepared.wire]);
  if (isDeserted(abort.signal)) return failure;
  const told = codex ? finalForCodex(failure) : failure;
  // A summary that was cut replaces no conversation.
  const asAnswer = !prepared.compacts && encoding.endsAnswer(told);
  const inStream = codex && encoding.heartbeat !== undefined && CODEX_READS_IN_STREAM.has(told.kind);
  if (!sink.committed && !asAnswer && !inStream) {
    const refusal = encoding.errorAnswer(told);
    sink.reject(refusal);
    exchange.told(JSON.stringify(refusal));
    return failure;
  }
  const last = encoding.fail(told);
  tellLost(options, {});
  if (asAnswer) await options.onEnded?.();
  if (asAnswer) sink.finish(last);
  else sink.fail(last);
  exchange.told(last);
  return failure;
}

/**
 * A chat answer that ends in `length` hit either its own limit or the end of the context. Codex needs to hear of the
 * second, since it makes room then; everybody else knows how to go on after an incomplete answer.
 */
function asLimit(error: ModelError, isKnown: boolean): ModelError {
  const cut = error.kind === 'context_window_exceeded' && error.status === undefined && error.code === undefined;
  if (!cut || isKnown) return error;
  return new ModelError({
    kind: 'incomplete',
    code: 'max_output_tokens',
    message: 'the answer reached a token limit',
    usage: error.usage,
  });
}

/** Whether clients of a wire have a word for an answer that the end of the context cut. */
const tellsFullContext: Readonly<Record<ProtocolId, boolean>> = { chat: false, responses: false, messages: true };

/** What the upstream could not be given is told, not silently dropped. */
function tellUncarried(options: Answering, upstream: string, { uncarried, ignored, lost, notes }: Started): void {
  const { log, head, context } = options;
  if (ignored.length > 0) {
    const fields = { upstream, fields: ignored };
    context.saidOnce.say(log, 'info', fields, 'the upstream is not sent some fields of the request');
  }
  const tools = uncarried.map((one) => (one.name === undefined ? one.type : `${one.type}:${one.name}`));
  head.nameUncarried([...tools, ...notes.map(subjectOf), ...lost]);
  if (uncarried.length + notes.length > 0)
    context.saidOnce.say(
      log,
      'warn',
      { upstream, uncarried, notes },
      'the upstream cannot be given all of the request',
    );
}

/** What the client's wire has no place for, once the answer is whole: in a header where none was sent, and in the log. */
function tellLost(
  { log, head, encoding, context }: Answering,
  { not_carried: ofServer = [] }: Partial<CompletedEvent>,
): void {
  const lost = [...new Set([...ofServer, ...encoding.notCarried])];
  if (lost.length === 0) return;
  head.nameUncarried(lost);
  context.saidOnce.say(log, 'warn', { lost }, 'the client cannot be given all of the answer');
}

/** What a note is about: the type that it names, else the place in the request. */
function subjectOf(note: string): string {
  return /of type "([^"]+)"/.exec(note)?.[1] ?? note.split(':', 1)[0] ?? '';
}

/** The client is gone: nobody is there to be told. Who stops an answer for another reason says it by an error. */
function isDeserted({ aborted, reason }: AbortSignal): boolean {
  return aborted && !(reason instanceof ModelError);
}

function abortedError(signal: AbortSignal): ModelError {
  const reason: unknown = signal.reason;
  return reason instanceof ModelError ? reason : new ModelError({ kind: 'aborted', message: 'the client is gone' });
}
