// The openai package: a loop over the stream, and its helper, which collects.
import { outcomeOf, toolSpecs } from './outcome.mjs';

const messages = [{ role: 'user', content: 'hi' }];
const chatTools = toolSpecs.map((spec) => ({ type: 'function', function: spec }));
const responsesTools = toolSpecs.map((spec) => ({ type: 'function', strict: false, ...spec }));
const chat = { model: 'm', messages, tools: chatTools, stream_options: { include_usage: true } };
const unusual = ['length', 'content_filter'];

export function openaiClients(OpenAI) {
  const clientFor = (baseURL, fetch) => new OpenAI({ baseURL, apiKey: 'none', fetch });
  return {
    chat: async (baseURL, fetch, signal) => {
      const stream = await clientFor(baseURL, fetch).chat.completions.create({ ...chat, stream: true }, { signal });
      let text = '';
      let usage;
      let finish;
      const calls = [];
      for await (const chunk of stream) {
        usage = chunk.usage?.total_tokens ?? usage;
        const [choice] = chunk.choices;
        finish = choice?.finish_reason ?? finish;
        text += choice?.delta?.content ?? '';
        for (const { index, function: part } of choice?.delta?.tool_calls ?? []) {
          const call = (calls[index] ??= { name: '', args: '' });
          call.name += part?.name ?? '';
          call.args += part?.arguments ?? '';
        }
      }
      return outcomeOf({ text, usage, calls, stopped: unusual.find((reason) => reason === finish) });
    },
    'chat helper': async (baseURL, fetch, signal) => {
      const completion = await clientFor(baseURL, fetch)
        .chat.completions.stream(chat, { signal })
        .finalChatCompletion();
      const [{ message, finish_reason: finish }] = completion.choices;
      return outcomeOf({
        text: message.content ?? '',
        calls: (message.tool_calls ?? []).map((call) => ({ name: call.function.name, args: call.function.arguments })),
        usage: completion.usage?.total_tokens,
        stopped: unusual.find((reason) => reason === finish),
      });
    },
    responses: async (baseURL, fetch, signal) => {
      const request = { model: 'm', input: 'hi', tools: responsesTools };
      const response = await clientFor(baseURL, fetch).responses.stream(request, { signal }).finalResponse();
      return outcomeOf({
        text: response.output_text,
        calls: response.output
          .filter((item) => item.type === 'function_call')
          .map((item) => ({ name: item.name, args: item.arguments })),
        usage: response.usage?.total_tokens,
        stopped: response.status === 'completed' ? undefined : response.status,
      });
    },
  };
}
