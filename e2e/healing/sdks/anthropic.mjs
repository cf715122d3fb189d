// @anthropic-ai/sdk: its helper, which collects.
import Anthropic from '@anthropic-ai/sdk';
import { outcomeOf, toolSpecs } from './outcome.mjs';

const tools = toolSpecs.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters }));
const question = { model: 'm', max_tokens: 1000, messages: [{ role: 'user', content: 'hi' }], tools };

export const clients = {
  messages: async (baseURL, fetch, signal) => {
    const client = new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ''), apiKey: 'none', fetch });
    const { content, usage, stop_reason: stop } = await client.messages.stream(question, { signal }).finalMessage();
    return outcomeOf({
      text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      calls: content.filter(({ type }) => type === 'tool_use').map(({ name, input }) => ({ name, args: input })),
      usage: usage.input_tokens + usage.output_tokens,
      stopped: ['max_tokens', 'refusal'].find((reason) => reason === stop),
    });
  },
};
