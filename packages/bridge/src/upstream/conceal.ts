import { createConcealer, type Conceal } from '@turnwire/client/internal/platform/conceal';
import type { Upstream } from './upstream.ts';

interface Known {
  readonly secrets: string;
  readonly conceal: Conceal;
}

/** Made once for each upstream, and anew when its key changes: it is used for every answer. */
const known = new WeakMap<Upstream, Known>();

/** Takes the secrets that the bridge sends to this upstream out of a text: its keys, and other secret headers. */
export function concealerFor(upstream: Upstream): Conceal {
  const secrets = upstream.secrets();
  const joined = secrets.join('\n');
  const last = known.get(upstream);
  if (last?.secrets === joined) return last.conceal;
  const conceal = createConcealer(secrets);
  known.set(upstream, { secrets: joined, conceal });
  return conceal;
}
