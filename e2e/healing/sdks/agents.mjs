// @openai/agents: a streamed run, which ends at the first answer that has calls, as these tools have no more to say.
import { Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, run, setTracingDisabled, tool } from '@openai/agents';
import OpenAI from 'openai';
import { outcomeOf, toolSpecs } from './outcome.mjs';

setTracingDisabled(true);

const askBy = (Model) => async (baseURL, fetch, signal) => {
  const calls = [];
  const tools = toolSpecs.map(({ name, description, parameters }) =>
    tool({
      name,
      description,
      parameters: { required: [], ...parameters },
      strict: false,
      execute: (args) => (calls.push({ name, args }), 'done'),
    }),
  );
  const model = new Model(new OpenAI({ baseURL, apiKey: 'none', fetch }), 'm');
  const agent = new Agent({ name: 'asker', model, tools, toolUseBehavior: 'stop_on_first_tool' });
  const result = await run(agent, 'hi', { stream: true, signal });
  let text = '';
  for await (const event of result) {
    if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') text += event.data.delta;
  }
  await result.completed;
  const usage = result.state.usage.totalTokens || undefined;
  // The whole text is what the run has; the deltas are what was shown.
  const messages = result.newItems.filter((item) => item.type === 'message_output_item');
  const said = messages.map((item) => item.content).join('');
  if (said !== text) throw new Error(`shown: ${JSON.stringify(text)}, kept: ${JSON.stringify(said)}`);
  // A tool that could not be run says so in its output.
  const outputs = result.newItems.filter((item) => item.type === 'tool_call_output_item').map(({ output }) => output);
  return outcomeOf({ text, calls, usage, stopped: outputs.find((output) => output !== 'done') });
};

export const clients = { chat: askBy(OpenAIChatCompletionsModel), responses: askBy(OpenAIResponsesModel) };
