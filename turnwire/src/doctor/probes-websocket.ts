import { stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import { responsesFacts, typeOf } from './check-responses.ts';
import { checkSocket } from './check-socket.ts';
import type { Examination, Outcome, Probe, Unseen } from './examination.ts';
import { isAbsent, unheard } from './read-answer.ts';
import { counted, ms, type Finding } from './finding.ts';
import { socketExchange } from './proof/exchange-of.ts';
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
  /** Why nothing can be asked, when there is no session. */
  #missing: Unseen = { skipped: 'there is no socket to ask on' };

  /** Whether the server speaks WebSocket, and how it says that it does not. */
  async upgrade(examination: Examination): Promise<Outcome> {
    const { answer } = await examination.sample('responses', 'answer');
    if (isAbsent(answer)) return (this.#missing = { absent: 'the Responses wire is not served' });
    const why = unheard(answer);
    return why === undefined ? await this.#connect(examination, []) : { skipped: why };
  }

  async first(examination: Examination): Promise<Outcome> {
    const session = this.#session;
    if (session === undefined) return this.#missing;
    const body = requestBody(examination, questions.answer);
    const answer = await session.ask(body);
    const findings = checkSocket(answer, body);
    if (findings.some(({ quirk }) => quirk === 'ws-limit') && this.#sockets < MAX_SOCKETS) {
      session.close();
      await this.#connect(examination, []);
      const again = await this.first(examination);
      return 'seen' in again
        ? { ...again, findings: [...findings, ...again.findings] }
        : told(examination, answer, body);
    }
    const { response } = responsesFacts({ reading: answer, body });
    // What was not completed may well be forgotten.
    this.#responseId = response?.status === 'completed' ? stringOf(response.id) : undefined;
    return told(examination, answer, body);
  }

  /** A second request on the same socket, that builds on the first. */
  async next(examination: Examination): Promise<Outcome> {
    const session = this.#session;
    if (session === undefined) return this.#missing;
    if (this.#responseId === undefined) return { skipped: UNANSWERED };
    const body = {
      ...requestBody(examination, questions.answer),
      previous_response_id: this.#responseId,
    };
    const answer = await session.ask(body);
    return told(examination, answer, body);
  }

  /** Another question on the same socket, if that is still there. */
  async ask(examination: Examination, question: Question): Promise<Outcome> {
    const session = this.#session;
    if (session === undefined) return this.#missing;
    if (this.#responseId === undefined) return { skipped: UNANSWERED };
    if (session.closed) return { skipped: 'the socket is closed' };
    const body = requestBody(examination, question);
    const answer = await session.ask(body);
    return told(examination, answer, body);
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
      this.#missing = { absent: 'there is no WebSocket' };
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

function told(examination: Examination, answer: WebSocketAnswer, body: JsonObject): Outcome {
  const proof = socketExchange(examination.modelUrl('responses'), body, answer);
  return { seen: describe(answer), findings: checkSocket(answer, body), proof };
}

function describe({ events, closed, idle }: WebSocketAnswer): string {
  const end = idle ? ', then silence' : closed === undefined ? '' : `, closed with ${closed}`;
  return `${counted(events.length, 'message')}, the last is ${typeOf(events.at(-1))}${end}`;
}
