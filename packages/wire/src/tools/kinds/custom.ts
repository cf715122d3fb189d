import { isObject, nonEmpty, stringOf } from '../../base/json.ts';
import { ABORTED, outputField, type ClientTool } from './client-tool.ts';
import { standIn } from './function.ts';

const INPUT = { type: 'string', description: 'The whole raw text for the tool, unquoted and unfenced.' };

/**
 * A freeform tool, as a function of one string. A grammar cannot bind the upstream, so the model is told of it. Its input
 * is streamed (input-extractor.ts), which is why the way back is in restore.ts.
 */
export const customTool: ClientTool = {
  kind: 'custom',
  callType: 'custom_tool_call',
  outputType: 'custom_tool_call_output',
  idPrefix: 'ctc_',
  asFunction: (tool, name) => {
    const texts = [stringOf(tool.description) ?? '', HOW_TO_CALL, grammarNote(tool.format)];
    return standIn(name, texts.filter(Boolean).join('\n\n'), { input: INPUT }, ['input']);
  },
  toArguments: (call) => JSON.stringify({ input: call.input ?? '' }),
  outputText: outputField,
  aborted: (call_id) => ({ type: 'custom_tool_call_output', call_id, output: ABORTED }),
};

const HOW_TO_CALL =
  'How to call it here: pass one JSON argument, the string `input`. Where this description speaks of free-form text, ' +
  'that text is the value of `input`, with nothing around it.';

function grammarNote(format: unknown): string {
  if (!isObject(format)) return '';
  const grammar = isObject(format.grammar) ? format.grammar : format; // the chat wire nests it
  const definition = nonEmpty(grammar.definition);
  if (definition === undefined) return '';
  return `The text has to follow this ${stringOf(grammar.syntax) ?? ''} grammar:\n${definition}`;
}
