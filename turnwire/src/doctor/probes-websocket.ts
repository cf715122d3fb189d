import { isObject, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import { checkResponses, checkStrange, responsesFacts, typeOf } from './check-responses.ts';
import { GIANT_EVENT, isHeartbeat } from './check-framing.ts';
import { isAbsent, unheard, type Examination, type Outcome, type Probe } from './examination.ts';
import { counted, ms, when, type Finding } from './finding.ts';
import { medianGap, SLOW_GAP, SLOW_START } from './probes-model.ts';
import { questions, type Question } from './requests.ts';
import { WebSocketSession, type WebSocketAnswer } from './websocket-session.ts';

/** The Responses WebSocket: one socket, four requests. */
export function websocketProbes(): readonly Probe[] {
  const talk = new Talk();
  return [
    { name: 'upgrade', wire: 'websocket', alone: true, run: (it) => talk.upgrade(it) },
    { name: 'messages', wire: 'websocket', alone: true, run: (it) => talk.first(it) },
    { name: 'next request', wire: 'websocket', alone: true, run: (it) => talk.next(it) },
    { name: 'reasoning', wire: 'websocket', alone: true, run: (it) => talk.ask(it, questions.reasoning) },
    { name: 'parallel calls', wire: 'websocket', alone: true, run: (it) => talk.calls(it) },
  ];
}

/** How many sockets are tried, when one is refused or reaches a limit. */
const MAX_SOCKETS = 2;

const UNANSWERED = 'the first request was not answered';

class Talk {
  #session: WebSocketSession | undefined;
  #responseId: string | undefined;
  #sockets = 0;

  /** Whether the server speaks WebSocket, and how it says that it does not. */
  async upgrade(examination: Examination): Promise<Outcome> {
    const { answer } = await examination.sample('responses', 'answer');
    if (isAbsent(answer)) return { skipped: 'the Responses wire is not served' };
    const why = unheard(answer);
    return why === undefined ? await this.#connect(examination, []) : { skipped: why };
  }

  async first(examination: Examination): Promise<Outcome> {
    const session = this.#session;
    if (session === undefined) return { skipped: 'there is no WebSocket' };
    const body = requestBody(examination, questions.answer);
    const answer = await session.ask(body);
    const findings = checkMessages(answer, body);
    if (findings.some(({ quirk }) => quirk === 'ws-limit') && this.#sockets < MAX_SOCKETS) {
      session.close();
      await this.#connect(examination, []);
      const again = await this.first(examination);
      return 'skipped' in again
        ? { seen: describe(answer), findings }
        : { ...again, findings: [...findings, ...again.findings] };
    }
    const { response } = responsesFacts({ reading: answer, body });
    // What was not completed may well be forgotten.
    this.#responseId = response?.status === 'completed' ? stringOf(response.id) : undefined;
    return { seen: describe(answer), findings };
  }

  /** A second request on the same socket, that builds on the first. */
  async next(examination: Examination): Promise<Outcome> {
    const session = this.#session;
    if (session === undefined || this.#responseId === undefined) return { skipped: UNANSWERED };
    const body = {
      ...requestBody(examination, questions.answer),
      previous_response_id: this.#responseId,
    };
    const answer = await session.ask(body);
    return { seen: describe(answer), findings: checkMessages(answer, body) };
  }

  /** Another question on the same socket, if that is still there. */
  async ask(examination: Examination, question: Question): Promise<Outcome> {
    const session = this.#session;
    if (session === undefined || this.#responseId === undefined) return { skipped: UNANSWERED };
    if (session.closed) return { skipped: 'the socket is closed' };
    const body = requestBody(examination, question);
    const answer = await session.ask(body);
    return { seen: describe(answer), findings: checkMessages(answer, body) };
  }

  /** The last request. */
  async calls(examination: Examination): Promise<Outcome> {
    try {
      return await this.ask(examination, questions.parallel);
    } finally {
      this.#session?.close();
    }
  }

  async #connect(examination: Examination, before: readonly Finding[]): Promise<Outcome> {
    const { timeoutMs, signal } = examination.options;
    this.#sockets++;
    const headers = examination.headers('responses');
    const session = new WebSocketSession(examination.modelUrl('responses'), { timeoutMs, signal, headers });
    const shake = await session.handshake();
    if (shake.type === 'open') {
      this.#session = session;
      return { seen: `101 after ${ms(shake.ms)}`, findings: before };
    }
    session.close();
    if (shake.type === 'refused') {
      const seen = `HTTP ${shake.status} after ${ms(shake.ms)}`;
      const finding = { quirk: shake.status === 426 ? 'ws-426' : 'ws-status', seen };
      // Only once more: a server under load may take the second.
      if (shake.status >= 500 && this.#sockets < MAX_SOCKETS)
        return await this.#connect(examination, [...before, finding]);
      return { seen, findings: [...before, finding] };
    }
    const seen = shake.type === 'silent' ? `no answer within ${ms(shake.ms)}` : shake.error;
    return { seen, findings: [...before, { quirk: shake.type === 'silent' ? 'ws-silent' : 'ws-status', seen }] };
  }
}

function requestBody(examination: Examination, question: Question): JsonObject {
  const body = examination.body('responses', question);
  return Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'stream'));
}

function describe({ events, closed, idle }: WebSocketAnswer): string {
  const end = idle ? ', then silence' : closed === undefined ? '' : `, closed with ${closed}`;
  return `${counted(events.length, 'message')}, the last is ${typeOf(events.at(-1))}${end}`;
}

function checkMessages(answer: WebSocketAnswer, body: JsonObject): readonly Finding[] {
  const { events, binary, pings } = answer;
  const facts = responsesFacts({ reading: answer, body });
  const error = facts.events[facts.terminal]?.json;
  const beats = events.filter(({ json }) => json !== undefined && isHeartbeat(json));
  const shape = checkResponses({ reading: answer, body }).filter(({ quirk }) => quirk !== 'error-mid-stream');
  return [
    ...when(binary > 0, 'ws-binary', counted(binary, 'binary message')),
    ...when(
      events.some(({ size }) => size >= GIANT_EVENT),
      'giant-event',
      'a message of more than 256 KiB',
    ),
    ...when(pings > 0, 'ws-ping', counted(pings, 'ping')),
    ...when(beats.length > 0, 'heartbeat-events', counted(beats.length, 'event')),
    ...checkTimes(answer),
    ...(error?.type === 'error' ? checkError(error, events.length) : []),
    ...(facts.terminal < 0 ? [...checkStrange(facts), ...checkBroken(answer)] : shape),
  ];
}

function checkTimes({ events }: WebSocketAnswer): readonly Finding[] {
  const times = events.map(({ ms: at }) => at);
  const first = times[0] ?? 0;
  const gap = medianGap(times);
  return [
    ...when(first >= SLOW_START, 'slow-first-byte', `the first message took ${ms(first)}`),
    ...when(gap >= SLOW_GAP, 'drip', `${gap.toFixed(0)} ms between two messages`),
  ];
}

function checkError(event: JsonObject, place: number): readonly Finding[] {
  const error = isObject(event.error) ? event.error : event;
  const code = stringOf(error.code);
  const seen = `${code ?? 'error'}: ${String(error.message).slice(0, 80)}`;
  if (code === 'websocket_connection_limit_reached') return [{ quirk: 'ws-limit', seen }];
  if (code === 'previous_response_not_found') return [{ quirk: 'ws-forgets', seen }];
  return [{ quirk: 'ws-error-frame', seen }, ...when(place > 1, 'error-mid-stream', seen)];
}

function checkBroken({ closed, idle, events }: WebSocketAnswer): readonly Finding[] {
  const after = `after ${counted(events.length, 'message')}`;
  if (idle) return [{ quirk: 'stall-after', seen: `silence ${after}` }];
  if (closed === 1006) return [{ quirk: 'reset-after', seen: `the connection broke ${after}` }];
  return [
    { quirk: closed === 1000 ? 'ws-close-clean' : 'ws-close-after', seen: `closed with ${closed ?? 0} ${after}` },
  ];
}
