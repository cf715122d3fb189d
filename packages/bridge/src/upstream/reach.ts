import type { ModelError } from '@turnwire/wire/internal/model/errors';
import { asBridgesOwn, refusesKey } from './bridges-own.ts';
import type { ModelsAnswer } from './known-models.ts';
import { toModelError } from './to-model-error.ts';
import type { Upstream } from './upstream.ts';

/**
 * - `up`: it answers.
 * - `down`: nobody answers at its address, or a gateway without it does (502 to 504); so while it loads its model.
 * - `silent`: it takes the connection, and then says nothing.
 * - `refuses_key`: it answers 401.
 * - `no_model_server`: it answers web pages, whatever it is asked.
 */
export type ReachState = 'up' | 'down' | 'silent' | 'refuses_key' | 'no_model_server';

/** What a model server said when it was asked whether it is there. */
export interface UpstreamReach {
  /** Its address. */
  readonly upstream: string;
  /** Whether it can be asked now. */
  readonly state: ReachState;
  /** What was tried, and what to do. Absent for one that is up. */
  readonly error?: string;
}

/** Asks a server whether it is there. */
export interface AskReach {
  /** For its models; what it says to that, beside who it is not for, is no matter. Never rejects. */
  models(): Promise<ModelsAnswer>;
  /** Whether it has nothing but web pages. Fails as the transport does. */
  answersPages(): Promise<boolean>;
}

/** How a server is, asked for its models; one that has a web page for these is asked further. Never rejects. */
export async function reachOf(ask: AskReach, upstream: Upstream): Promise<UpstreamReach> {
  const { label } = upstream;
  const answer = await ask.models();
  const pages = answer === 'page' && (await ask.answersPages().catch(toModelError));
  if (pages === true) return { upstream: label, state: 'no_model_server', error: PAGES };
  const failure = typeof pages === 'object' ? pages : answer;
  const state = typeof failure === 'object' ? stateAfter(failure) : 'up';
  if (typeof failure !== 'object' || state === 'up') return { upstream: label, state: 'up' };
  return { upstream: label, state, error: asBridgesOwn(failure, upstream).message };
}

const PAGES = 'the server answers web pages, it is no model server: check the base URL and the port';

function stateAfter(failure: ModelError): ReachState {
  const { kind, status = 0 } = failure;
  if (refusesKey(failure) && status === 401) return 'refuses_key';
  if (kind === 'stream_idle') return 'silent';
  return kind === 'connection_failed' || kind === 'timeout' || (status >= 502 && status <= 504) ? 'down' : 'up';
}
