// LangChain JS: ChatOpenAI, chunk by chunk.
import { ChatOpenAI } from '@langchain/openai';
import { outcomeOf, toolSpecs } from './outcome.mjs';

const tools = toolSpecs.map((spec) => ({ type: 'function', function: spec }));
const unusual = ['length', 'content_filter'];

const askBy = (useResponsesApi) => async (baseURL, fetch, signal) => {
  // Six retries are its default, and wait for a minute in all.
  const configuration = { baseURL, fetch };
  const model = new ChatOpenAI({ model: 'm', apiKey: 'none', configuration, useResponsesApi, maxRetries: 2 });
  let whole;
  for await (const chunk of await model.bindTools(tools).stream('hi', { signal }))
    whole = whole?.concat(chunk) ?? chunk;
  if (whole === undefined) return outcomeOf({ text: '' });
  const [invalid] = whole.invalid_tool_calls;
  if (invalid) throw new Error(invalid.error ?? `malformed call of ${invalid.name}`);
  const { finish_reason: finish, status, incomplete_details: details } = whole.response_metadata;
  return outcomeOf({
    text: whole.text,
    calls: whole.tool_calls.map(({ name, args }) => ({ name, args })),
    usage: whole.usage_metadata?.total_tokens,
    stopped:
      unusual.find((reason) => reason === finish) ??
      (status === undefined || status === 'completed' ? undefined : `${status} ${details?.reason ?? ''}`),
  });
};

export const clients = { chat: askBy(false), responses: askBy(true) };
