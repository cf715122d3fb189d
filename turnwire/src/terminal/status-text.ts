import { addUsage, type Usage } from '@turnwire/wire/internal/model/usage';
import { shortCount } from './text.ts';
import type { Fact, ViewState } from './view-state.ts';

/** A server as people call it: the name of the configuration, or of an address the host. */
export function shortServer(provider: string): string {
  if (!/^https?:\/\//i.test(provider)) return provider;
  const { host } = new URL(provider);
  return host === '' ? provider : host;
}

/** Who answers: model and server. */
export function whoAnswers(provider: string, model: string | undefined): string {
  const server = shortServer(provider);
  return model === undefined || model === provider ? server : `${model} at ${server}`;
}

/** How full the model's window is, after the latest answer; nothing where either is unknown. */
export function contextText(usage: Usage | undefined, contextWindow: number | undefined): string | undefined {
  if (usage === undefined || contextWindow === undefined) return undefined;
  const part = Math.min(100, Math.round((usage.total_tokens / contextWindow) * 100));
  return `${part}% of ${shortCount(contextWindow)}`;
}

/** What the conversation took: the turns that this chat saw, and those before it was opened here. */
export function costText({ total, requests }: ViewState, before: Usage | undefined): string {
  const sum = addUsage(before, total);
  if (sum === undefined) return requests === 0 ? 'Nothing was asked yet.' : 'The server tells no usage.';
  const { input_tokens: input, output_tokens: output } = sum;
  const cached = sum.input_tokens_details.cached_tokens;
  const reasoning = sum.output_tokens_details.reasoning_tokens;
  const since = before === undefined ? '' : ', what was before included';
  return `${requests} request${requests === 1 ? '' : 's'}${since}: ${shortCount(input)} tokens in (${shortCount(cached)} cached), ${shortCount(output)} out (${shortCount(reasoning)} reasoning).`;
}

/** Facts below each other. */
export function factsText(facts: readonly Fact[]): string {
  const width = Math.max(...facts.map(({ label }) => label.length));
  return facts.map(({ label, text }) => `${label.padEnd(width)}  ${text}`).join('\n');
}
