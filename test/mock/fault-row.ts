import type { ProviderOptions } from '../../packages/client/src/provider/provider.ts';
import { scenario, type ScenarioBuilder } from '../../packages/testing/src/index.ts';
import type { ProtocolId } from '../../packages/wire/src/decoder.ts';
import { nothing, type Naive, type Outcome } from './outcome.ts';

export const TEXT = 'Grüße 👋 from afar.';
export const scripts: Record<string, ScenarioBuilder> = {
  text: scenario().text(TEXT),
  tools: scenario().text('Two.').toolCall('read_file', { path: 'ä.txt' }).toolCall('get_time', { zone: 'UTC' }),
  reasoning: scenario().reasoning('hm, well').text('Hi.'),
};
export const clean: Record<string, Outcome> = {
  text: { ...nothing(), text: TEXT, usage: 8 },
  tools: { ...nothing(), text: 'Two.', calls: ['read_file({"path":"ä.txt"})', 'get_time({"zone":"UTC"})'], usage: 9 },
  reasoning: { ...nothing(), reasoning: 'hm, well', text: 'Hi.', usage: 7 },
};

export interface Row {
  fault: string;
  on?: ProtocolId;
  script?: 'text' | 'tools' | 'reasoning';
  /** Who stumbles. */
  naive: Naive;
  /** What our client makes of it, where that is not the clean answer. */
  ours?: Partial<Outcome>;
  provider?: Partial<ProviderOptions>;
}

export const truncated = { end: 'error:stream_truncated', usage: undefined } as const;
/** Each call without its last character, for its tool to refuse. */
export const halfWritten = { calls: ['read_file({"path":"ä.txt")', 'get_time({"zone":"UTC")'] };
/** An error that came instead of the answer. */
export const instead = (kind: string): Partial<Outcome> => ({ ...nothing(), end: `error:${kind}` });
/** An error after the whole text. */
export const after = (kind: string): Partial<Outcome> => ({ end: `error:${kind}`, usage: undefined });
