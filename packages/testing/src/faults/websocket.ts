import type { Step } from '../answer.ts';
import { MockUsageError } from '../errors.ts';
import type { FaultSpec, FaultWire } from './fault.ts';
import { responsesFrame } from '../frames.ts';
import { count, oneOf } from './args.ts';
import { beforeEnd } from './ending.ts';
import { firstTimes } from './errors.ts';

const wires: readonly FaultWire[] = ['websocket'];

const errorShapes = ['nested', 'flat', 'no-status'] as const;

/** Faults of the Responses WebSocket. */
export const websocketFaults: readonly FaultSpec[] = [
  {
    name: 'ws-426',
    summary: 'The upgrade is refused with 426: servers without WebSocket that say so well.',
    wires,
    create: () => ({ upgrade: () => 426 }),
  },
  {
    name: 'ws-status',
    args: '[CODE[:TIMES]]',
    summary:
      'The upgrade is refused with this status (default 404), TIMES times or always: servers without the route, gateways under load.',
    wires,
    create: (arg) => {
      const [code, times] = (arg ?? '').split(':');
      const status = count('ws-status', code, 404);
      if (status < 300 || status > 599) throw new MockUsageError(`fault ws-status:${status}: not an HTTP error status`);
      const due = firstTimes(count('ws-status', times, Infinity));
      return { upgrade: () => (due() ? status : undefined) };
    },
  },
  {
    name: 'ws-silent',
    summary: 'The upgrade request is swallowed, no answer ever: proxies that do not know WebSocket.',
    wires,
    create: () => ({ upgrade: () => 'silent' }),
  },
  {
    name: 'ws-close-after',
    args: '[N]',
    summary: 'A close frame 1011 after N messages (default 2): servers that restart, gateways at their limit.',
    wires,
    create: (arg) => {
      const n = count('ws-close-after', arg, 2);
      return { steps: (steps) => [...firstMessages(steps, n), { do: 'close', code: 1011, reason: 'going away' }] };
    },
  },
  {
    name: 'ws-close-clean',
    summary: 'A close frame 1000 in mid-answer, as if all were well: gateways that drain.',
    wires,
    create: () => ({ steps: (steps) => [...firstMessages(steps, 2), { do: 'close', code: 1000, reason: '' }] }),
  },
  {
    name: 'ws-error-frame',
    args: '[SHAPE]',
    choices: errorShapes,
    summary:
      'An error frame ends the request: nested with a status (OpenAI), flat (openclaw report), or nested without a status.',
    wires,
    create: (arg) => {
      const shape = oneOf('ws-error-frame', arg, errorShapes, 'nested');
      const error = { type: 'server_error', code: 'server_error', message: 'scripted failure' };
      const frame =
        shape === 'flat'
          ? responsesFrame({ ...error, type: 'error', param: null })
          : responsesFrame({ type: 'error', ...(shape === 'nested' ? { status: 500 } : {}), error });
      return { frames: (frames) => [...beforeEnd(frames), frame] };
    },
  },
  {
    name: 'ws-limit',
    summary: 'The connection limit of 60 minutes is reached: websocket_connection_limit_reached, the first time only.',
    wires,
    create: () => {
      const due = firstTimes(1);
      const error = {
        type: 'invalid_request_error',
        code: 'websocket_connection_limit_reached',
        message:
          'Responses websocket connection limit reached (60 minutes). Create a new websocket connection to continue.',
      };
      return { frames: (frames) => (due() ? [responsesFrame({ type: 'error', status: 400, error })] : frames) };
    },
  },
  {
    name: 'ws-forgets',
    summary: 'No previous response is ever found: previous_response_not_found, as after a failover.',
    wires,
    create: () => ({
      frames: (frames, { request }) => {
        if (request.previousResponseId === undefined) return frames;
        const message = `Previous response with id '${request.previousResponseId}' not found.`;
        const error = {
          type: 'invalid_request_error',
          code: 'previous_response_not_found',
          message,
          param: 'previous_response_id',
        };
        return [responsesFrame({ type: 'error', status: 400, error })];
      },
    }),
  },
  {
    name: 'ws-ping',
    summary: 'Pings between the messages, which count as no progress: servers and balancers that keep sockets alive.',
    wires,
    create: () => ({
      steps: (steps) => steps.flatMap((step): Step[] => (step.do === 'write' ? [{ do: 'ping' }, step] : [step])),
    }),
  },
  {
    name: 'ws-binary',
    summary: 'The events come as binary messages: gateways that copy frames without their opcode.',
    wires,
    create: () => ({
      steps: (steps) =>
        steps.map((step) => (step.do === 'write' ? { ...step, data: Buffer.from(step.data as string) } : step)),
    }),
  },
  {
    name: 'ws-rate-limits',
    summary: 'A codex.rate_limits event comes before the answer: the Codex backend.',
    wires,
    create: () => ({
      frames: (frames) => [
        responsesFrame({
          type: 'codex.rate_limits',
          plan_type: 'plus',
          rate_limits: {
            primary: { used_percent: 12.5, window_minutes: 300, reset_at: 1_767_229_200 },
            secondary: null,
          },
        }),
        ...frames,
      ],
    }),
  },
];

function firstMessages(steps: Step[], n: number): Step[] {
  let writes = 0;
  return steps.filter((step) => step.do !== 'end' && (step.do !== 'write' || ++writes <= n));
}
