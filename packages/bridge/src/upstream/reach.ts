import { toModelError } from './to-model-error.ts';
import { asBridgesOwn, refusesKey } from './refused-key.ts';
import { listModels, type AskedServer } from './server-models.ts';
import type { Upstream } from './upstream.ts';

/**
 * - `up`: it answers.
 * - `down`: nobody answers at its address, or a gateway without it does (502 to 504); so while it loads its model.
 * - `refuses_key`: it answers 401.
 */
export type ReachState = 'up' | 'down' | 'refuses_key';

/** What a model server said when it was asked whether it is there. */
export interface UpstreamReach {
  /** Its address. */
  readonly upstream: string;
  /** Whether it can be asked now. */
  readonly state: ReachState;
  /** What was tried, and what to do. Absent for one that is up. */
  readonly error?: string;
}

/** Asks a server for its models, within 3 s; what it says to that, beside who it is not for, is no matter. Never rejects. */
export async function reachOf(server: AskedServer, upstream: Upstream): Promise<UpstreamReach> {
  try {
    await listModels(server);
  } catch (thrown) {
    const failure = toModelError(thrown);
    const { kind, status = 0 } = failure;
    if (refusesKey(failure) && status === 401) {
      return { upstream: upstream.label, state: 'refuses_key', error: asBridgesOwn(failure, upstream).message };
    }
    if (kind === 'connection_failed' || kind === 'timeout' || (status >= 502 && status <= 504)) {
      return { upstream: upstream.label, state: 'down', error: failure.message };
    }
  }
  return { upstream: upstream.label, state: 'up' };
}
