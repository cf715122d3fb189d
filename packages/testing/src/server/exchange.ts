import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@turnwire/wire/internal/base/clock';
import { isObject, parseJson, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { ProtocolId } from '@turnwire/wire/internal/decoder';
import type { ErrorFields } from '@turnwire/wire/internal/encode-error';
import { estimateTokens } from '@turnwire/wire/internal/token-estimate';
import type { Protocol } from '@turnwire/wire/internal/protocol';
import type { Head } from '../answer.ts';
import type { FaultWire } from '../faults/fault.ts';
import { refuse } from '../faults/refuse.ts';
import { ActiveFaults } from './active-faults.ts';
import { countPaths, modelPaths, protocolOf } from './paths.ts';
import { BODY_LIMIT, readBody } from './read-body.ts';
import { enter, playBody, playHead, playSteps, type PlayContext } from './play.ts';
import { headersOf, newRecord, type AnswerState, type RecordedRequest, type Recorder } from './recorder.ts';
import { replyIds } from './reply-events.ts';
import { requestIdOf, viewRequest, type RequestView } from '../scenario/request-view.ts';
import { selectReply, type Reply, type Scenario } from '../scenario/scenario.ts';
import { bodyOf, plainHead, renderReply, type RenderInput } from './render-reply.ts';
import { mockWires, responsesInput } from '../scenario/wires.ts';

/** What all exchanges of one mock share. */
export interface ExchangeContext {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly wire: ProtocolId | undefined;
  readonly scenario: Scenario;
  readonly faults: ActiveFaults;
  readonly paceMs: number | undefined;
  readonly createdAt: number;
  readonly startedAt: number;
  readonly closing: AbortSignal;
  /** Input and output of earlier responses by id: the last 1000. */
  readonly responses: Map<string, () => readonly unknown[]>;
}

const KEPT_RESPONSES = 1000;

/** One HTTP request and its answer. */
export class Exchange {
  readonly #context: ExchangeContext;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #path: string;
  readonly #query: string;
  /** Errors are told in its form. */
  readonly #client: Protocol;

  constructor(context: ExchangeContext, req: IncomingMessage, res: ServerResponse) {
    this.#context = context;
    this.#req = req;
    this.#res = res;
    const url = req.url ?? '/';
    const mark = url.indexOf('?');
    this.#path = mark < 0 ? url : url.slice(0, mark);
    this.#query = mark < 0 ? '' : url.slice(mark + 1);
    this.#client = protocolOf(req);
  }

  /** Ends when the answer did, or the client left. */
  async run(): Promise<void> {
    const bytes = await readBody(this.#req, BODY_LIMIT);
    if (bytes === undefined) {
      this.#json(413, this.#client.errorBody({ message: 'the request body is too large', status: 413 }));
      return;
    }
    const text = bytes.toString('utf8');
    const wire = modelPaths.get(this.#path) ?? countPaths.get(this.#path);
    if (wire === undefined) {
      this.#other(text);
      return;
    }
    if (this.#req.method !== 'POST') {
      this.#refuse({ status: 405, message: `use POST ${this.#path}` }, text);
      return;
    }
    if (this.#context.wire !== undefined && this.#context.wire !== wire) {
      this.#refuse({ status: 404, message: `this mock serves the ${this.#context.wire} wire alone` }, text);
      return;
    }
    await this.#asked(wire, text);
  }

  async #asked(wire: ProtocolId, text: string): Promise<void> {
    const body = parseJson(text);
    if (!isObject(body)) {
      this.#refuse({ message: 'the request body is not a JSON object' }, text);
      return;
    }
    if (countPaths.has(this.#path)) {
      this.#json(200, { input_tokens: estimateTokens(body) });
      return;
    }
    const refusal = mockWires[wire].refusal(body);
    if (refusal !== undefined) {
      this.#refuse(refusal, text, body);
      return;
    }
    const earlier = earlierItems(this.#context, body);
    if (earlier === undefined) {
      this.#refuse(responseNotFound(body), text, body);
      return;
    }
    const n = this.#context.recorder.modelRequests + 1;
    const view = viewRequest(body, { wire, transport: 'http', n, earlier });
    await this.#answer(view, this.#record(text, body, view), earlier);
  }

  async #answer(view: RequestView, record: RecordedRequest, earlier: readonly unknown[]): Promise<void> {
    const play = this.#playContext(record.answer);
    const input = renderInput(this.#context, view, view.wire, this.#query);
    const requestId = requestIdOf(view);
    this.#res.setHeader(this.#client.requestIdHeader, requestId);
    if ('missing' in input) {
      this.#json(400, this.#client.errorBody({ message: input.missing, requestId }), record.answer);
      return;
    }
    remember(this.#context, input, earlier);
    const head = plainHead(input);
    refuseAsScripted(head, input);
    for (const fault of input.faults) fault.head?.(head, input.context);
    finishHead(head, input);
    await playHead(this.#res, head, play);
    if (play.signal.aborted || head.refuse) return;
    if (head.body !== undefined) playBody(this.#res, head.body, play);
    else await playSteps(this.#res, renderReply(input), play);
  }

  #playContext(state: AnswerState): PlayContext {
    const { clock, recorder, closing } = this.#context;
    const gone = new AbortController();
    this.#res.once('close', () => {
      if (state.phase === 'held') state.heldMs = clock.now() - state.since;
      if (['waiting', 'streaming', 'held'].includes(state.phase)) enter({ clock, recorder, state }, 'left');
      gone.abort();
    });
    this.#res.on('error', () => undefined); // told by 'close'
    return { clock, recorder, state, signal: AbortSignal.any([gone.signal, closing]) };
  }

  #record(text: string, body: JsonObject | undefined, view: RequestView | undefined): RecordedRequest {
    const { clock, recorder, startedAt } = this.#context;
    const fields = {
      n: recorder.next(),
      method: this.#req.method ?? '',
      path: this.#path,
      query: this.#query,
      headers: headersOf(this.#req.headers),
      transport: 'http' as const,
      ...{ text, body, view },
    };
    const record = newRecord(fields, clock, startedAt);
    recorder.add(record);
    return record;
  }

  #other(text: string): void {
    const { scenario } = this.#context;
    switch (`${this.#req.method ?? ''} ${this.#path}`) {
      case 'GET /health':
      case 'GET /v1/health': {
        this.#json(200, { ok: true });
        return;
      }
      case 'GET /v1/models':
      case 'GET /models': {
        this.#json(200, modelList(this.#req, scenario.model ?? 'scripted', this.#context.createdAt));
        return;
      }
      case 'HEAD /': {
        this.#res.writeHead(200).end(); // Claude Code asks whether anybody is there
        return;
      }
      default:
        this.#refuse({ status: 404, message: `no route ${this.#req.method ?? ''} ${this.#path}` }, text);
    }
  }

  /** A request that is none to the model: kept, but not counted. */
  #refuse(error: ErrorFields, text: string, body?: JsonObject): void {
    const { n, answer } = this.#record(text, body, undefined);
    const requestId = `req_refused_${n}`;
    this.#res.setHeader(this.#client.requestIdHeader, requestId);
    this.#json(error.status ?? 400, this.#client.errorBody({ ...error, requestId }), answer);
  }

  #json(status: number, value: unknown, state?: AnswerState): void {
    if (state !== undefined) {
      Object.assign(state, { status, phase: 'ended', said: 'a whole body', since: this.#context.clock.now() });
    }
    this.#res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  }
}

/** The list of models, as Anthropic's API has it for a client that names a version of that. */
function modelList({ headers }: IncomingMessage, id: string, createdAt: number): JsonObject {
  if (headers['anthropic-version'] === undefined) {
    return { object: 'list', data: [{ id, object: 'model', created: createdAt, owned_by: 'turnwire' }] };
  }
  const created = new Date(createdAt * 1000).toISOString();
  const data = [{ type: 'model', id, display_name: id, created_at: created }];
  return { data, has_more: false, first_id: id, last_id: id };
}

/** What the answer to a request is made of, or why there is none. */
export function renderInput(
  context: ExchangeContext,
  view: RequestView,
  wire: FaultWire,
  query: string,
): RenderInput | { readonly missing: string } {
  const chosen = selectReply(context.scenario, view);
  if ('missing' in chosen) return chosen;
  const own = new ActiveFaults(undefined);
  own.set(chosen.faults ?? []);
  const faults = [context.faults, own].flatMap((some) => some.ofRequest(wire, view.n));
  const faultContext = { wire, request: view, query };
  let reply: Reply = withPace(chosen, context.paceMs);
  for (const fault of faults) reply = fault.reply?.(reply, faultContext) ?? reply;
  return {
    request: view,
    reply,
    ids: replyIds(view),
    createdAt: context.createdAt,
    model: view.model === '' ? (context.scenario.model ?? 'scripted') : view.model,
    faults,
    context: faultContext,
  };
}

/** What a request's `previous_response_id` stands for: nothing without one, `undefined` for one that is not known. */
export function earlierItems(context: ExchangeContext, body: JsonObject): readonly unknown[] | undefined {
  const id = body.previous_response_id;
  return typeof id === 'string' ? context.responses.get(id)?.() : [];
}

/** Keeps a response for requests that name it; its output is made only when one does. */
export function remember(context: ExchangeContext, input: RenderInput, earlier: readonly unknown[]): void {
  if (!mockWires[input.request.wire].keepsAnswers) return;
  const { responses } = context;
  responses.set(input.ids.response, () => {
    const body = parseJson(bodyOf(input)) as { output: readonly unknown[] };
    return [...earlier, ...responsesInput(input.request.body), ...body.output];
  });
  const oldest = responses.keys().next().value;
  if (responses.size > KEPT_RESPONSES && oldest !== undefined) responses.delete(oldest);
}

function withPace(reply: Reply, paceMs: number | undefined): Reply {
  return reply.paceMs !== undefined || paceMs === undefined ? reply : { ...reply, paceMs };
}

/** An error that the scenario says, with a status. */
function refuseAsScripted(head: Head, { reply: { error }, context }: RenderInput): void {
  if (error?.status === undefined) return;
  const { status, message, ...rest } = error;
  refuse(head, context, status, { message, openai: { ...rest }, anthropic: rest });
}

/** The headers of what the answer turned out to be. */
function finishHead(head: Head, input: RenderInput): void {
  if (head.body === undefined && head.json) {
    head.body = bodyOf(input);
    head.headers['content-type'] ??= 'application/json';
  }
  if (head.body === undefined) {
    head.headers['content-type'] ??= 'text/event-stream; charset=utf-8';
    head.headers['cache-control'] ??= 'no-cache';
  }
}

/** The API's word for a `previous_response_id` that it does not have. */
export function responseNotFound({ previous_response_id: id }: JsonObject): ErrorFields {
  const message = `Previous response with id '${String(id)}' not found.`;
  return { message, param: 'previous_response_id', code: 'previous_response_not_found' };
}
