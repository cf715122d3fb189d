// streamText of the AI SDK, part by part; its tools are for the caller to run.
import { outcomeOf, toolSpecs } from './outcome.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;
const unusual = ['length', 'content-filter', 'error'];

export function aiSdkClients({ streamText, tool, jsonSchema }, createOpenAI) {
  const tools = Object.fromEntries(
    toolSpecs.map(({ name, description, parameters }) => [
      name,
      tool({ description, inputSchema: jsonSchema(parameters) }),
    ]),
  );
  const askBy = (modelOf) => async (baseURL, fetch, abortSignal) => {
    const model = modelOf(createOpenAI({ baseURL, apiKey: 'none', fetch }));
    const result = streamText({ model, prompt: 'hi', tools, abortSignal, onError: () => undefined });
    let text = '';
    const calls = [];
    let usage;
    let finish;
    for await (const part of result.fullStream) {
      if (part.type === 'error') throw part.error;
      if (part.type === 'text-delta') text += part.text;
      if (part.type === 'tool-call') {
        if (part.invalid) throw part.error;
        calls.push({ name: part.toolName, args: part.input });
      }
      if (part.type === 'finish') {
        usage = part.totalUsage.totalTokens;
        finish = part.finishReason;
      }
    }
    return outcomeOf({ text, calls, usage, stopped: unusual.find((reason) => reason === finish) });
  };
  return { chat: askBy((openai) => openai.chat('m')), responses: askBy((openai) => openai.responses('m')) };
}
