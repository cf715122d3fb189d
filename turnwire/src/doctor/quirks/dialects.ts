import { broken, client, odd, type QuirkTable } from './quirk.ts';

const byShape = 'turnwire tells calls apart by ids, indexes, names, and by whether arguments are whole';
const asError = 'turnwire: an error with its own code and message; the bridge tells them';

/** What servers say in words and shapes of their own. */
export const dialectQuirks: QuirkTable = {
  'finish-spelling': broken(
    'stop, length, tool_calls, content_filter and function_call are the finish reasons',
    [client.naive('take a cut answer for a whole one (qwen-code#9884)')],
    'turnwire reads a reason by its class, and hands it on as it was written; the bridge tells chat clients the usual word',
  ),
  'tool-id-changes': broken(
    'a call has one id',
    [client.naive('take each fragment for a call of its own (litellm#28223)')],
    byShape,
  ),
  'tool-id-shared': broken(
    'each call has an id of its own',
    [client.naive('merge two calls, or answer one of them twice (oh-my-pi#2055)')],
    byShape,
  ),
  'tool-index-late': broken(
    'each fragment of a call has its index',
    [client.naive('lose the arguments (term-llm#314)')],
    byShape,
  ),
  'tool-index-stray': broken(
    'all fragments of a call have one index',
    [client.naive('lose the arguments (dirac#215)')],
    byShape,
  ),
  'tool-args-doubled': broken(
    'arguments come once',
    [client.naive('fail to parse them (opencodex#361)')],
    'turnwire takes the same arguments behind whole ones for a repetition',
  ),
  'choice-error': broken(
    'an error stands beside the choices, under error',
    [client.naive('take it for the end of a good answer (genkit#6079)')],
    asError,
  ),
  'error-flat': broken(
    'an error stands under error',
    [client.naive('take a cut answer for a whole one (crush#1237)')],
    asError,
  ),
  'base-resp': broken(
    'an error stands under error',
    [client.naive('take a cut answer for a whole one (ragflow#17292)')],
    asError,
  ),
  'mistral-thinking': odd(
    'reasoning has no agreed place; reasoning_content is the usual one',
    [client.naive('lose it, or show "[object Object]" (litellm#16272)')],
    'turnwire reads parts of type thinking as reasoning',
  ),
  'think-tags': broken(
    'reasoning stands beside the text, not in it',
    [client.naive('show the thought as the answer, and send it back (pi#7155)')],
    '--think-tags, think_tags = true; or give the server its reasoning parser',
  ),
  'think-tags-opened': broken(
    'reasoning stands beside the text, not in it, and a tag has its pair',
    [client.naive('show the thought as the answer (vllm#31045, llama.cpp#11861)')],
    '--think-tags-opened, think_tags = "opened"; or give the server its reasoning parser',
  ),
  'usage-names': odd(
    'usage has the names and the details of its wire',
    [client.naive('count nothing, or no cached tokens (pi#8119)')],
    'turnwire reads the names of many servers, those of either wire on both',
  ),
  'beside-text': odd(
    'an answer is text, reasoning and calls',
    [client.naive('drop what else there is')],
    'turnwire carries annotations, citations and logprobs to clients that have a place for them; x-turnwire-not-carried names the rest',
  ),
  'wrong-wire': broken(
    'an answer is of the wire that was asked for',
    [client.naive('find nothing in it, and ask again'), client.codex('asks six times')],
    'turnwire says which wire it is, after one request',
  ),
};
