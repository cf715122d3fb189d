import { client } from './clients.ts';
import { broken, odd, type QuirkTable } from './quirk.ts';

const addedDone = 'send output_item.added and output_item.done for each item';
const sequence =
  'send response.created, then for each item added, its parts, their deltas, and each done behind what it ends';
const ids = 'give each item an id, and keep it from added to done and in the final output';

const filled = 'turnwire fills in what did not arrive, once; the bridge sends the whole sequence in order';
const throwsOn = client.openai('throws');

/** The event sequence of the Responses wire. */
export const responsesQuirks: QuirkTable = {
  'final-only': broken(
    'text is streamed as deltas',
    [client.openai('no text events'), client.aiSdk('renders nothing'), client.naive('render nothing')],
    filled,
    'send response.output_text.delta as the text is made',
  ),
  'only-completed': broken(
    'each item has output_item.added and output_item.done',
    [client.codex('an empty success'), client.aiSdk('renders nothing')],
    filled,
    addedDone,
    { repairs: ['item_only_at_end'] },
  ),
  'output-empty': broken(
    'response.completed has every item in its output',
    [client.openai('finalResponse is empty'), client.agents('an empty answer: it reads nothing else')],
    filled,
    'put every item into response.output of response.completed',
  ),
  'no-item-done': broken(
    'each item has its output_item.done',
    [client.codex('an empty success'), client.aiSdk('an item that never ends')],
    filled,
    addedDone,
    { repairs: ['unfinished_item'] },
  ),
  'duplicate-final': broken(
    'an item is done once',
    [client.naive('show the text twice, run the tool twice')],
    'turnwire drops the second',
    'send output_item.done once for each item',
    { repairs: ['repeated_item'] },
  ),
  'out-of-order': broken(
    'created first, an item before its parts, a part before its deltas',
    [throwsOn, client.aiSdk('fails')],
    filled,
    sequence,
  ),
  'delta-without-added': broken(
    'an item is added before its deltas',
    [throwsOn, client.aiSdk('fails')],
    filled,
    addedDone,
    { repairs: ['unannounced_item'] },
  ),
  'no-item-ids': broken('items have ids', [throwsOn, client.aiSdk('fails')], filled, ids, { repairs: ['no_item_id'] }),
  'fresh-item-ids': broken(
    'an item keeps its id',
    [client.aiSdk('an item that never ends'), client.naive('show it twice')],
    'turnwire matches by id, call_id, then place',
    ids,
    { repairs: ['changed_item_id'] },
  ),
  'no-created': broken(
    'response.created comes first',
    [throwsOn],
    filled,
    'send response.created first, with the response',
    { repairs: ['no_created'] },
  ),
  'no-indexes': broken(
    'events have output_index, content_index and sequence_number',
    [client.openai('needs the indexes to put the answer together')],
    filled,
    'write output_index, content_index and sequence_number in each event',
    { repairs: ['no_output_index'] },
  ),
  'completed-bare': broken(
    'response.completed carries the response',
    [client.codex('fails without response.id'), client.agents('an empty answer')],
    filled,
    'write the whole response into response.completed',
  ),
  'null-details': odd(
    'usage details are objects',
    [client.naive('throw')],
    'missing details count as 0',
    'write input_tokens_details and output_tokens_details as objects',
  ),
  'usage-without-total': broken(
    'usage has input, output and total tokens',
    [client.codex('fails the whole turn')],
    'the total is made of its parts; the bridge sends all fields',
    'write input_tokens, output_tokens and total_tokens',
  ),
  'usage-missing': odd(
    'response.completed has usage',
    [client.opencode('asks again')],
    'usage is unknown, not 0',
    'write usage into the response of response.completed',
  ),
  'unknown-events': broken(
    'event types are those of the API',
    [throwsOn],
    'turnwire passes them on as unknown',
    'send events of the API only',
  ),
  'malformed-item': broken(
    'items have the shapes of the API',
    [throwsOn, client.naive('throw')],
    'turnwire carries it untouched',
    'give items the shape of the API',
  ),
  sequence: odd(
    'sequence_number grows with each event',
    [],
    'turnwire does not need it; the bridge counts anew',
    'count sequence_number from 0, by one with each event',
  ),
  order: broken(
    'the event sequence of the API: the bridge and its validator keep it',
    [client.openai('needs the whole sequence'), client.aiSdk('needs added, done and ids')],
    filled,
    sequence,
  ),
  'no-previous-response': odd(
    'a stored response can be gone on from',
    [client.codex('over WebSocket it sends everything again')],
    'turnwire sends the whole conversation; the bridge stores responses itself',
    'keep responses of which store is not false, or refuse with the code previous_response_not_found',
    { outcome: 'not-offered' },
  ),
};
