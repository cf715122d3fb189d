import { isObject, stringOf, type JsonObject } from '@turnwire/wire/internal/base/json';
import { GIANT_EVENT, isHeartbeat } from './check-framing.ts';
import { medianGap, SLOW_GAP, SLOW_START } from './check-pace.ts';
import { checkResponses, checkStrange, responsesFacts } from './check-responses.ts';
import { counted, ms, when, type Finding } from './finding.ts';
import type { WebSocketAnswer } from './websocket-session.ts';

/** What is wrong with the messages that answered one request. */
export function checkSocket(answer: WebSocketAnswer, body: JsonObject): readonly Finding[] {
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
