/** What every client is told that it may call. */
export const toolNames = ['read_file', 'get_time'];
const strings = { type: 'object', properties: {}, additionalProperties: true };
export const toolSpecs = toolNames.map((name) => ({ name, description: name, parameters: strings }));

/**
 * What an SDK gave for an answer, in the words of the tests of the mock.
 *
 * @throws where the SDK itself says that the answer is not whole: the reason it gives for the end, arguments that are no JSON for whoever
 * parses them, a character that stands for bytes that were none.
 */
export function outcomeOf({ text, calls = [], usage, stopped }) {
  if (stopped) throw new Error(`the SDK says why it ended: ${stopped}`);
  if (text.includes('\ufffd')) throw new Error('the text has a replacement character');
  const parsed = calls.map(
    ({ name, args }) => `${name}(${JSON.stringify(typeof args === 'string' ? JSON.parse(args) : args)})`,
  );
  return { end: 'ok', text, reasoning: '', calls: parsed, usage };
}
