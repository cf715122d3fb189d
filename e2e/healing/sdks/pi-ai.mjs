// pi-ai: its three implementations of the wires, by their streams.
import { normalizeContext } from '@earendil-works/pi-ai';
import { stream as messages } from '@earendil-works/pi-ai/api/anthropic-messages';
import { stream as chat } from '@earendil-works/pi-ai/api/openai-completions';
import { stream as responses } from '@earendil-works/pi-ai/api/openai-responses';
import { outcomeOf, toolSpecs } from './outcome.mjs';

const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

const askBy =
  (stream, api, baseUrlOf = (url) => url) =>
  async (baseURL, fetch, signal) => {
    const model = {
      ...{ id: 'm', name: 'm', api, provider: 'local', baseUrl: baseUrlOf(baseURL), reasoning: false, input: ['text'] },
      ...{ cost: none, contextWindow: 100_000, maxTokens: 1000 },
    };
    const context = normalizeContext({ messages: [{ role: 'user', content: 'hi', timestamp: 0 }], tools: toolSpecs });
    const events = stream(model, context, { apiKey: 'none', signal, fetch });
    const answer = await events.result();
    const { stopReason, content } = answer;
    return outcomeOf({
      text: content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
      calls: content
        .filter((part) => part.type === 'toolCall')
        .map((part) => ({ name: part.name, args: part.arguments })),
      usage: answer.usage.totalTokens || undefined,
      stopped: ['stop', 'toolUse'].includes(stopReason) ? undefined : `${stopReason}: ${answer.errorMessage}`,
    });
  };

export const clients = {
  chat: askBy(chat, 'openai-completions'),
  responses: askBy(responses, 'openai-responses'),
  messages: askBy(messages, 'anthropic-messages', (url) => url.replace(/\/v1$/, '')),
};
