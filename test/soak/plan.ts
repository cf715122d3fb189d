import { protocolIds, protocols, type ProtocolId } from '../../packages/wire/src/index.ts';
import type { JsonObject } from '../../packages/wire/src/base/json.ts';
import { faultsOf, modelOf, NO_FAULT, TOOL, toPrompt, type Asked } from './script.ts';

/** How a client takes its answer. */
export type Behaviour =
  | { readonly does: 'read' }
  /** It goes away behind so many events. */
  | { readonly does: 'leave'; readonly after: number }
  /** It reads nothing for a time. */
  | { readonly does: 'pause'; readonly after: number; readonly ms: number }
  /** Its connection is lost, and it comes back for the rest. */
  | { readonly does: 'return'; readonly after: number; readonly ms: number };

/** One request of a client. */
export interface Plan {
  readonly wire: ProtocolId;
  readonly transport: 'stream' | 'json' | 'socket';
  readonly upstream: ProtocolId;
  readonly asked: Asked;
  readonly behaviour: Behaviour;
  /** It goes on with an earlier response, if there is one. */
  readonly follows: boolean;
}

/** The numbers of a seed, evenly from 0 to 1 (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The n-th request of a seed. */
export function planOf(seed: number, n: number): Plan {
  const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ n);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const wire = pick(protocolIds);
  const upstream = pick(protocolIds);
  const fault = random() < 0.5 ? NO_FAULT : pick(faultsOf[upstream]);
  const isStored = protocols[wire].overWebSocket;
  const transport = random() < 0.2 ? 'json' : isStored && random() < 0.4 ? 'socket' : 'stream';
  const aboutTools = /^tool|stop-with-tools|length-mid|per-choice|input-in/.test(fault);
  return {
    wire,
    upstream,
    transport,
    asked: {
      tag: `s${seed}n${n}`,
      fault,
      reasons: random() < 0.3,
      calls: aboutTools ? 2 : random() < 0.3 ? 1 : 0,
      words: 10 + Math.floor(random() * 30),
    },
    behaviour: behaviourOf(transport, isStored, random),
    follows: isStored && random() < 0.3,
  };
}

function behaviourOf(transport: Plan['transport'], isStored: boolean, random: () => number): Behaviour {
  const chance = random();
  const after = Math.floor(random() * 8);
  if (transport === 'json') return chance < 0.1 ? { does: 'leave', after: 0 } : { does: 'read' };
  if (chance < 0.12) return { does: 'leave', after };
  if (chance < 0.24) return { does: 'pause', after, ms: 200 + random() * 1800 };
  if (chance < 0.4 && isStored && transport === 'stream') return { does: 'return', after, ms: random() * 800 };
  return { does: 'read' };
}

const schema = { type: 'object', properties: { path: { type: 'string' } }, additionalProperties: true };

/** The body of a request on each wire. */
const bodies: Readonly<Record<ProtocolId, (prompt: string) => JsonObject>> = {
  chat: (prompt) => ({
    messages: [{ role: 'user', content: prompt }],
    stream_options: { include_usage: true },
    tools: [{ type: 'function', function: { name: TOOL, parameters: schema } }],
  }),
  responses: (prompt) => ({
    input: prompt,
    tools: [{ type: 'function', name: TOOL, parameters: schema, strict: false }],
  }),
  messages: (prompt) => ({
    max_tokens: 10_000,
    messages: [{ role: 'user', content: prompt }],
    tools: [{ name: TOOL, input_schema: schema }],
  }),
};

export function bodyOf({ wire, upstream, asked, transport }: Plan, previousId: string | undefined): JsonObject {
  const { stream_options, ...body } = bodies[wire](toPrompt(asked));
  return {
    model: modelOf(upstream),
    ...body,
    ...(transport === 'stream' ? { stream: true, ...(stream_options === undefined ? {} : { stream_options }) } : {}),
    ...(previousId === undefined ? {} : { previous_response_id: previousId }),
  };
}
