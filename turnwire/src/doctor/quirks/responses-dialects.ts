import { client } from './clients.ts';
import { broken, odd, type QuirkTable } from './quirk.ts';

const whole = 'repeat the whole text or arguments in the done events';

const believed = 'turnwire believes the payload: incomplete or failed, never a success';

/** What servers of the wild say in words of their own. */
export const responsesDialectQuirks: QuirkTable = {
  'done-empty': broken(
    'an item that is done has the text that was streamed',
    [client.codex('an empty answer'), client.agents('an empty answer')],
    'nothing empty erases what was streamed',
    whole,
  ),
  'args-done-empty': broken(
    'a call that is done has the arguments that were streamed',
    [client.codex('runs the tool without arguments'), client.agents('runs the tool without arguments')],
    'nothing empty erases what was streamed',
    whole,
  ),
  'completed-incomplete': broken(
    'an unfinished response ends in response.incomplete',
    [client.codex('takes a cut answer for a whole one'), client.naive('take a cut answer for a whole one')],
    believed,
    'end with response.incomplete and its reason in incomplete_details',
  ),
  'completed-failed': broken(
    'a failed response ends in response.failed',
    [client.codex('an empty success'), client.naive('an empty success')],
    believed,
    'end with response.failed and its error',
  ),
  'response-done': broken(
    'a response ends in response.completed',
    [client.codex('retries a finished answer'), client.naive('wait for an end that came')],
    'turnwire takes it for response.completed',
    'call it response.completed',
  ),
  'response-cancelled': broken(
    'a good request is not cancelled',
    [client.codex('retries it'), client.naive('wait for an end that came')],
    'turnwire: incomplete, code cancelled',
    'end with response.incomplete or response.failed, and the reason',
  ),
  'response-error': broken(
    'the error event is called error',
    [client.naive('wait for an end that came')],
    'turnwire takes it for error',
    'call it error',
  ),
  'reasoning-item': odd(
    'reasoning is parts of type reasoning_text, and response.reasoning_text.delta',
    [client.naive('show no reasoning, or throw')],
    'turnwire reads a text as one part, and the deltas under either name',
    'send reasoning items with content of type reasoning_text, and response.reasoning_text.delta',
  ),
  'usage-beside': odd(
    'usage stands in the response',
    [client.naive('count nothing')],
    'turnwire reads it in either place',
    'write usage into the response',
  ),
  'type-in-event-line': broken(
    'the JSON of an event has its type',
    [client.openai('no events'), client.codex('passes over every event')],
    'turnwire takes the type from the event line',
    'write the type into the JSON, too',
  ),
  'context-wording': odd(
    'a full context has the code context_length_exceeded',
    [client.codex('shows an error instead of making room'), client.naive('show an error instead of making room')],
    'turnwire knows the words; the bridge tells the code',
    'answer 400 with the code context_length_exceeded',
  ),
  'error-string-code': broken(
    'an error has a code in words and a type',
    [client.codex('retries what can never succeed'), client.naive('retry what can never succeed')],
    'turnwire reads three digits as the status that they are',
    'write a word as code, e.g. rate_limit_exceeded, and a type',
  ),
};
