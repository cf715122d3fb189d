import { client } from './clients.ts';
import { broken, odd, type QuirkTable } from './quirk.ts';

const error = 'send {"error":{"message","type","code"}}';
const parser = 'turn its reasoning parser on, so that thoughts come as reasoning_content';

const byShape = 'turnwire tells calls apart by ids, indexes, names, and by whether arguments are whole';
const asError = 'turnwire: an error with its own code and message; the bridge tells them';

/** What servers say in words and shapes of their own. */
export const dialectQuirks: QuirkTable = {
  'finish-spelling': broken(
    'stop, length, tool_calls, content_filter and function_call are the finish reasons',
    [client.naive('take a cut answer for a whole one (qwen-code#9884)')],
    'turnwire reads a reason by its class, and hands it on as it was written; the bridge tells chat clients the usual word',
    'write stop, length, tool_calls or content_filter',
    { repairs: ['finish_reason_spelling'] },
  ),
  'tool-id-changes': broken(
    'a call has one id',
    [client.naive('take each fragment for a call of its own (litellm#28223)')],
    byShape,
    'make the id once for a call',
    { repairs: ['changing_call_id'] },
  ),
  'tool-id-shared': broken(
    'each call has an id of its own',
    [client.naive('merge two calls, or answer one of them twice (oh-my-pi#2055)')],
    byShape,
    'give each call an id of its own',
    { repairs: ['shared_call_id'] },
  ),
  'tool-index-late': broken(
    'each fragment of a call has its index',
    [client.naive('lose the arguments (term-llm#314)')],
    byShape,
    'write index in each entry of delta.tool_calls',
  ),
  'tool-index-stray': broken(
    'all fragments of a call have one index',
    [client.naive('lose the arguments (dirac#215)')],
    byShape,
    'keep the index of a call in all of its fragments',
    { repairs: ['stray_tool_index'] },
  ),
  'tool-args-doubled': broken(
    'arguments come once',
    [client.naive('fail to parse them (opencodex#361)')],
    'turnwire takes the same arguments behind whole ones for a repetition',
    'leave whole arguments out of the last chunk when they were streamed',
    { repairs: ['doubled_arguments'] },
  ),
  'choice-error': broken(
    'an error stands beside the choices, under error',
    [client.naive('take it for the end of a good answer (genkit#6079)')],
    asError,
    error,
  ),
  'error-flat': broken(
    'an error stands under error',
    [client.naive('take a cut answer for a whole one (crush#1237)')],
    asError,
    error,
  ),
  'base-resp': broken(
    'an error stands under error',
    [client.naive('take a cut answer for a whole one (ragflow#17292)')],
    asError,
    error,
  ),
  'mistral-thinking': odd(
    'reasoning has no agreed place; reasoning_content is the usual one',
    [client.naive('lose it, or show "[object Object]" (litellm#16272)')],
    'turnwire reads parts of type thinking as reasoning',
    'write reasoning as delta.reasoning_content',
  ),
  'think-tags': broken(
    'reasoning stands beside the text, not in it',
    [client.naive('show the thought as the answer, and send it back (pi#7155)')],
    '--think-tags, think_tags = true; or give the server its reasoning parser',
    parser,
    { repairs: ['think_tags'] },
  ),
  'think-tags-opened': broken(
    'reasoning stands beside the text, not in it, and a tag has its pair',
    [client.naive('show the thought as the answer (vllm#31045, llama.cpp#11861)')],
    '--think-tags-opened, think_tags = "opened"; or give the server its reasoning parser',
    parser,
    { repairs: ['think_tags'] },
  ),
  'usage-names': odd(
    'usage has the names and the details of its wire',
    [client.naive('count nothing, or no cached tokens (pi#8119)')],
    'turnwire reads the names of many servers, those of either wire on both',
    'write the names that the wire has',
  ),
  'beside-text': odd(
    'an answer is text, reasoning and calls',
    [client.naive('drop what else there is')],
    'turnwire carries annotations, citations and logprobs to clients that have a place for them; x-turnwire-not-carried names the rest',
    'nothing, where it is documented',
  ),
  'wrong-wire': broken(
    'an answer is of the wire that was asked for',
    [client.naive('find nothing in it, and ask again'), client.codex('asks six times')],
    'turnwire says which wire it is, after one request',
    'answer on the wire of the path that was asked',
  ),
};
