import { client } from './clients.ts';
import { broken, odd, type QuirkTable } from './quirk.ts';

const index = 'write index in each entry of delta.tool_calls';
const finishCalls = 'write finish_reason tool_calls when there are calls';
const own = 'send usage once, in a last chunk with "choices":[]';
const limit = 'raise the default limit of answers (llama.cpp -n, Ollama num_predict), or have none';

const byId = 'turnwire tells calls apart by id first, then by index; the bridge sends each with its own index';
const reads = 'turnwire reads it; the bridge answers in the usual shape';

/** What chunks of the chat wire look like. */
export const chatQuirks: QuirkTable = {
  'tool-index-missing': broken('each fragment of a call has its index', [client.openai('throws')], byId, index, {
    repairs: ['no_tool_index'],
  }),
  'tool-index-reused': broken(
    'each call has an index of its own',
    [
      client.openai('one call with the arguments of both'),
      client.opencodex('merged, then failed'),
      'one client ran the first call twice and the second never',
    ],
    byId,
    'count index up with each call of an answer',
    { repairs: ['reused_tool_index'] },
  ),
  'tool-id-late': broken(
    'the first fragment of a call has its id',
    [client.openai('a call without an id'), client.naive('answer to an id that does not exist')],
    'turnwire holds a call until it is known',
    'write the id in the first fragment of a call',
    { repairs: ['late_call_id'] },
  ),
  'tool-id-missing': broken(
    'each call has an id, to which its output refers',
    [client.openai('a call without an id'), client.aiSdk('refuses it')],
    'turnwire and the bridge give it one',
    'give each call an id of its own',
    { repairs: ['no_call_id'] },
  ),
  'tool-id-repeated': odd(
    'the id comes once, with the first fragment',
    [client.naive('open a new call with every fragment')],
    byId,
    'write id and name in the first fragment only',
  ),
  'tool-name-empty': broken(
    'later fragments have no name',
    [client.naive('overwrite the name with nothing')],
    'turnwire keeps the first name that is one',
    'leave the name out of later fragments',
  ),
  'tool-args-object': broken(
    'arguments are JSON text',
    [client.openai('"[object Object]"'), client.aiSdk('refuses it')],
    'turnwire and the bridge make text of it',
    'write arguments as JSON text',
    { repairs: ['arguments_object'] },
  ),
  'tool-args-invalid': broken(
    'the arguments of a finished call are whole JSON',
    [client.naive('fail to parse, or run half a call')],
    'turnwire hands them on as they are: the tool refuses them',
    'constrain arguments to JSON; end a call that is cut with finish_reason length',
  ),
  'tool-whole': odd(
    'a call may come in one fragment',
    [client.naive('show no progress')],
    'nothing to do',
    'stream the arguments as they are made',
  ),
  'tool-interleaved': odd(
    'calls come one after another',
    [client.pi('loses one of the two'), client.naive('append to the latest call')],
    byId,
    'end a call before the next one begins',
  ),
  'tool-choice-ignored': odd(
    'a forced tool is called',
    [client.naive('wait for a call that never comes')],
    'nothing: the model or its template knows no forced tools',
    'constrain the output to the tool that tool_choice names, or refuse tool_choice with 400',
    { outcome: 'model' },
  ),
  'parallel-calls-missing': odd(
    'two calls were asked for in one answer',
    [],
    'nothing to do: the second call comes in the next round',
    'nothing, where it is the model; look whether the template or the parser ends at the first call',
    { outcome: 'model' },
  ),
  'content-parts': broken(
    'delta.content is a string',
    [client.openai('"[object Object]" in the text')],
    reads,
    'write delta.content as a string',
    { repairs: ['content_parts'] },
  ),
  'message-not-delta': broken(
    'chunks of a stream carry delta',
    [client.openai('an empty answer'), client.aiSdk('an empty answer')],
    reads,
    'write delta in the chunks of a stream',
    { repairs: ['message_for_delta'] },
  ),
  'stop-with-tools': broken(
    'calls end with finish_reason tool_calls',
    [client.naive('throw the calls away (vercel/workflow#1387)')],
    'tool_calls_on_stop = "promote"; the bridge promotes by itself',
    finishCalls,
    { repairs: ['stop_with_tool_calls'] },
  ),
  'finish-tool-use': broken(
    'calls end with finish_reason tool_calls',
    [client.naive('throw the calls away')],
    'turnwire takes tool_use, tool_call and function_call for tool_calls',
    finishCalls,
    { repairs: ['finish_reason_spelling'] },
  ),
  'finish-empty': odd(
    'finish_reason is null until the end',
    [client.naive('take "" for the end and stop at the first chunk')],
    'turnwire takes "" for no finish',
    'write null until the last chunk',
    { repairs: ['empty_finish_reason'] },
  ),
  'finish-unknown': odd(
    'stop, length, tool_calls, content_filter and function_call are the finish reasons',
    [client.aiSdk('other')],
    'turnwire completes as with stop, and tells the reason',
    'write stop, length, tool_calls or content_filter',
    { repairs: ['unknown_finish'] },
  ),
  'finish-per-choice': odd(
    'one choice was asked for',
    [client.naive('read the first choice only')],
    'turnwire reads each choice with its own calls',
    'answer with as many choices as n says; one without it',
  ),
  'length-mid-call': broken(
    'a cut call is no call',
    [client.openai('partial arguments'), client.opencodex('emitted as done, then failed')],
    'turnwire: incomplete or context_window_exceeded; a cut call is never done',
    limit,
  ),
  length: broken(
    'an answer below its token limit is not cut',
    [client.naive('take a cut answer for a whole one (litellm#37710)')],
    'turnwire: incomplete, or context_window_exceeded where no limit was set and usage does not say otherwise',
    limit,
  ),
  'content-filter': broken(
    'a harmless request is answered',
    [client.naive('take a cut answer for a whole one')],
    'turnwire: content_filter, never retried',
    'look at the filter: the question is harmless',
  ),
  'empty-choices': odd(
    'a chunk may have no choice',
    [client.naive('read choices[0] and throw')],
    reads,
    'leave the chunk out',
  ),
  'null-content': odd(
    'content null and a repeated role say nothing',
    [client.naive('show "null"')],
    reads,
    'leave content and role out where they say nothing',
  ),
  'reasoning-shape': odd(
    'reasoning has no agreed place; reasoning_content is the usual one',
    [client.openai('does not know it'), client.naive('look in one place only')],
    'turnwire reads reasoning, reasoning_content and reasoning_details',
    'write reasoning as delta.reasoning_content',
  ),
  'usage-late': odd(
    'usage follows the finish at once',
    [client.naive('stop at the finish and lose it')],
    'usage_grace_ms is how long turnwire waits (250)',
    'send usage right after the finish',
  ),
  'usage-never': odd(
    'usage was asked for with stream_options.include_usage',
    [client.opencode('asks again')],
    'usage is unknown, and turnwire waits usage_grace_ms for it; ask_usage = false spares the wait',
    own,
  ),
  'usage-on-finish': odd('usage has a chunk of its own', [client.naive('look at the last chunk only')], reads, own),
  'usage-in-choice': odd(
    'usage stands beside choices',
    [client.naive('lose it')],
    reads,
    'write usage beside choices',
    { repairs: ['usage_in_choice'] },
  ),
  'usage-every-chunk': odd(
    'usage comes once',
    [client.naive('add it up, or take the zeros')],
    'the last real one wins',
    own,
  ),
  'usage-zeros': odd(
    'unknown usage is not told',
    [client.naive('count nothing')],
    'zeros count as unknown',
    'leave usage out until it is known',
  ),
  'usage-unasked': odd(
    'usage comes when it is asked for',
    [],
    'turnwire reads it',
    'send usage when stream_options.include_usage is true, else not',
  ),
  'usage-refused': odd(
    'stream_options.include_usage is part of the API',
    [client.naive('fail every request')],
    'turnwire asks again without it, once, and remembers (ask_usage)',
    'take stream_options',
    { repairs: ['usage_refused'], outcome: 'not-offered' },
  ),
  'max-tokens-refused': odd(
    'max_tokens has another name in newer versions of the API',
    [client.naive('fail every request')],
    'ask with max_output_tokens unset, or with the field that the server names',
    'take max_tokens beside max_completion_tokens',
    { repairs: ['max_tokens_refused'] },
  ),
  'chat-id-changes': odd(
    'all chunks of an answer have one id',
    [client.naive('take each for a new answer')],
    reads,
    'make the id once for an answer',
  ),
  'chat-id-missing': odd('chunks have an id', [], reads, 'write an id in each chunk, the same in all'),
  'json-schema-ignored': odd(
    'an answer to a request with a schema is JSON',
    [client.aiSdk('generateObject fails')],
    'nothing: ask a server that has constrained output',
    'constrain the output by the schema, or refuse the schema with 400',
    { outcome: 'model' },
  ),
};
