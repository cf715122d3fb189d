import { ModelError } from './errors.ts';

/** Which timer ran out; docs/contract.md section 6 has their meaning. */
export type TimerName = 'connect' | 'firstByte' | 'firstEvent' | 'idle' | 'progress' | 'total';

/**
 * A timer's own error.
 *
 * @param target - what was asked for, as `POST http://host/path`; default: not told
 */
export function timerFailure(timer: TimerName, ms: number, target?: string): ModelError {
  const kind = timer === 'connect' || timer === 'total' ? 'timeout' : 'stream_idle';
  return new ModelError({ kind, message: timerMessage(timer, seconds(ms), target) });
}

function timerMessage(timer: TimerName, time: string, target: string | undefined): string {
  const request = target ?? 'the request';
  const inAnswer = target === undefined ? '' : ` in the answer to ${target}`;
  switch (timer) {
    case 'connect':
      return `no connection within ${time} for ${request}: check the address, the network and the proxy`;
    case 'firstByte':
      return `no answer within ${time} of sending ${request}: the server may be overloaded, or still loading the model`;
    case 'firstEvent':
      return `no event within ${time} of sending ${request}: the server may be overloaded, or still loading the model`;
    case 'idle':
      return `idle timeout: the server sent nothing for ${time}${inAnswer}`;
    case 'progress':
      return `no progress: only keep-alives and no event for ${time}${inAnswer}`;
    case 'total':
      return `not finished within the total time of ${time}: ${request}`;
  }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}
