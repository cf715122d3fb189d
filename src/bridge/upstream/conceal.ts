import { secretsOf } from '../../client/provider/secrets.ts';
import type { GetEnv } from '../../client/provider/provider-request.ts';
import { createConcealer, type Conceal } from '../../platform/conceal.ts';
import type { Upstream } from './pool.ts';

interface Known {
  readonly secrets: string;
  readonly conceal: Conceal;
}

/** Made once for each upstream, and anew when its key changes: it is used for every answer. */
const known = new WeakMap<Upstream, Known>();

/** Takes out of a text what the bridge told this upstream in confidence: its key, and other secret headers. */
export function concealerFor(upstream: Upstream, getEnv: GetEnv): Conceal {
  const secrets = secretsOf(upstream.provider('responses'), getEnv);
  const joined = secrets.join('\n');
  const last = known.get(upstream);
  if (last?.secrets === joined) return last.conceal;
  const conceal = createConcealer(secrets);
  known.set(upstream, { secrets: joined, conceal });
  return conceal;
}
