import type { Logger } from 'pino';
import { ModelError } from '@turnwire/wire/internal/model/errors';
import type { CompletedEvent, ModelEvent } from '@turnwire/wire/internal/model/events';
import type { WireEvent } from '@turnwire/wire/internal/encode-event';
import { TURN_STATE_HEADER } from '@turnwire/wire/internal/responses/headers';
import { createToolRestorer } from '@turnwire/wire/internal/tools/index';
import { apiErrorOf } from '../reply/api-error.ts';
import { sealedTurn, startAnswer, type Started } from './attempt.ts';
import { CallGuard } from './stages/call-guard.ts';
import type { HttpResponse } from '@turnwire/client/internal/transport/http';
import { answerHeaders } from '../request/client-kind.ts';
import type { BridgeContext } from './context.ts';
import type { Encoding } from '../reply/encoding.ts';
import { Ledger } from '../observe/ledger.ts';
import type { Prepared } from '../request/prepare.ts';
import type { Sink } from '../reply/sink.ts';
import { StableIds } from './stages/stable-ids.ts';
import type { TurnState } from '../upstream/turn-state.ts';
import { concealerFor } from '../upstream/conceal.ts';
import { toModelError, type Outcome } from '../upstream/failover.ts';
import type { Lease } from '../upstream/pool.ts';

export interface AnswerOptions {
  readonly context: BridgeContext;
  readonly prepared: Prepared;
  readonly encoding: Encoding;
  readonly sink: Sink;
  /** Caller's headers for the upstream. */
  readonly headers: Readonly<Record<string, string>>;
  readonly turn: TurnState | undefined;
  readonly codex: boolean;
  /** Aborted when the client is gone, or the bridge stops the stream. */
  readonly abort: AbortController;
  readonly log: Logger;
  readonly route: string;
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
  const { context, sink, abort } = options;
  const ledger = new Ledger(options);
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
  try {
    const outcome = await startAnswer({ ...options, signal: abort.signal });
    if (outcome.ok) running = { lease: outcome.lease, started: outcome.answer };
    for (const how of outcome.retries) ledger.healed(how);
    ledger.upstream = outcome.upstream;
    const { token, head } = headOf(options, outcome);
    sink.setHeaders(head);
    if (!outcome.ok) throw outcome.failure;
    const { lease, answer: started } = outcome;
    // Only now: a turn sticks to the upstream that answers, not to one that was left for it.
    if (token !== undefined) options.onTurn?.(token);
    sink.setHeaders({ ...head, ...tellUncarried(options, started) });
    await relay(options, started, ledger, () => (stream.active = true));
    lease.succeeded();
  } catch (error) {
    running?.started.call.cancel();
    if (error instanceof ModelError && !abort.signal.aborted) running?.lease.failed(error);
    await fail(options, toModelError(error), ledger);
  } finally {
    ended = true;
    running?.lease.release();
    ledger.close();
    await sink.flushed(); // a slow client is still reading: it counts, and a shutdown waits for it
    context.streams.delete(stream);
  }
}

/** What the client is told of an upstream's headers, whatever its status. */
function headOf(
  { context, turn }: AnswerOptions,
  outcome: Outcome<Started, HttpResponse>,
): { readonly token: string | undefined; readonly head: Readonly<Record<string, string>> } {
  const response = outcome.ok ? outcome.answer.response : outcome.refusal;
  if (response === undefined) return { token: undefined, head: {} };
  const token = sealedTurn(context, turn, outcome.upstream, response);
  const conceal = concealerFor(outcome.upstream, context.pool.getEnv);
  const sticky = token === undefined ? {} : { [TURN_STATE_HEADER]: token };
  return { token, head: { ...answerHeaders(response.headers, conceal), ...sticky } };
}

/** Passes events on as they come, and waits for the client where it is slower. */
async function relay(options: AnswerOptions, started: Started, ledger: Ledger, sent: () => void): Promise<void> {
  const { sink, encoding, abort, context } = options;
  const ids = new StableIds();
  const guard = new CallGuard(context.settings.toolCallsOnStop);
  const restorer = started.tools === undefined ? undefined : createToolRestorer(started.tools);
  let batch = await started.call.next();
  while (batch !== undefined) {
    const { events, failure } = guard.push(ids.apply(batch));
    const out: WireEvent[] = [];
    const end = encode(encoding, restorer?.restore(events) ?? events, out);
    if (end !== undefined) {
      await complete(options, end, out, ledger);
      sent();
      break;
    }
    if (out.length > 0) {
      sink.send(out);
      ledger.sent();
    }
    if (failure !== undefined) throw failure;
    sent();
    if (abort.signal.aborted) throw abortedError(abort.signal);
    if (sink.full) await sink.drained();
    batch = await started.call.next();
    ledger.arrived();
  }
  if (!ledger.completed) throw new ModelError({ kind: 'protocol', message: 'the answer ended without an end' });
  await started.call.next(); // lets the call close itself
}

/** Encodes a batch, up to its end; that is returned and still to be encoded. */
function encode(encoding: Encoding, events: readonly ModelEvent[], out: WireEvent[]): CompletedEvent | undefined {
  for (const event of events) {
    if (event.type === 'completed') return event;
    for (const wireEvent of encoding.push(event)) out.push(wireEvent);
  }
  return undefined;
}

async function complete(
  options: AnswerOptions,
  event: CompletedEvent,
  out: WireEvent[],
  ledger: Ledger,
): Promise<void> {
  const last = options.encoding.push(event);
  ledger.complete(event);
  await options.onEnded?.();
  if (options.abort.signal.aborted) return;
  options.sink.finish([...out, ...last]);
  ledger.sent();
}

async function fail(options: AnswerOptions, error: ModelError, ledger: Ledger): Promise<void> {
  const { encoding, sink, abort, codex } = options;
  const reason: unknown = abort.signal.reason;
  const told = abort.signal.aborted && reason instanceof ModelError ? reason : asLimit(error, codex);
  ledger.fail(told);
  if (abort.signal.aborted && !(reason instanceof ModelError)) return; // nobody is there to be told
  const asAnswer = told.kind === 'incomplete' || told.kind === 'content_filter';
  const inStream = codex && encoding.heartbeat !== undefined && CODEX_READS_IN_STREAM.has(told.kind);
  if (!sink.committed && !asAnswer && !inStream) {
    sink.reject(apiErrorOf(told));
    return;
  }
  const last = encoding.fail(told);
  if (asAnswer) await options.onEnded?.();
  sink.finish(last);
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
