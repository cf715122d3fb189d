import { broken, client, odd, type QuirkTable } from './quirk.ts';

const filled = 'turnwire fills in what did not arrive, once; the bridge sends the whole sequence in order';
const throwsOn = client.openai('throws');

/** The event sequence of the Responses wire. */
export const responsesQuirks: QuirkTable = {
  'final-only': broken(
    'text is streamed as deltas',
    [client.openai('no text events'), client.aiSdk('renders nothing'), client.naive('render nothing')],
    filled,
  ),
  'only-completed': broken(
    'each item has output_item.added and output_item.done',
    [client.codex('an empty success'), client.aiSdk('renders nothing')],
    filled,
  ),
  'output-empty': broken(
    'response.completed has every item in its output',
    [client.openai('finalResponse is empty'), client.agents('an empty answer: it reads nothing else')],
    filled,
  ),
  'no-item-done': broken(
    'each item has its output_item.done',
    [client.codex('an empty success'), client.aiSdk('an item that never ends')],
    filled,
  ),
  'duplicate-final': broken(
    'an item is done once',
    [client.naive('show the text twice, run the tool twice')],
    'turnwire drops the second',
  ),
  'out-of-order': broken(
    'created first, an item before its parts, a part before its deltas',
    [throwsOn, client.aiSdk('fails')],
    filled,
  ),
  'delta-without-added': broken('an item is added before its deltas', [throwsOn, client.aiSdk('fails')], filled),
  'no-item-ids': broken('items have ids', [throwsOn, client.aiSdk('fails')], filled),
  'fresh-item-ids': broken(
    'an item keeps its id',
    [client.aiSdk('an item that never ends'), client.naive('show it twice')],
    'turnwire matches by id, call_id, then place',
  ),
  'no-created': broken('response.created comes first', [throwsOn], filled),
  'no-indexes': broken(
    'events have output_index, content_index and sequence_number',
    [client.openai('needs the indexes to put the answer together')],
    filled,
  ),
  'completed-bare': broken(
    'response.completed carries the response',
    [client.codex('fails without response.id'), client.agents('an empty answer')],
    filled,
  ),
  'null-details': odd('usage details are objects', [client.naive('throw')], 'missing details count as 0'),
  'usage-without-total': broken(
    'usage has input, output and total tokens',
    [client.codex('fails the whole turn')],
    'the total is made of its parts; the bridge sends all fields',
  ),
  'usage-missing': odd('response.completed has usage', [client.opencode('asks again')], 'usage is unknown, not 0'),
  'unknown-events': broken('event types are those of the API', [throwsOn], 'turnwire passes them on as unknown'),
  'malformed-item': broken(
    'items have the shapes of the API',
    [throwsOn, client.naive('throw')],
    'turnwire carries it untouched',
  ),
  sequence: odd('sequence_number grows with each event', [], 'turnwire does not need it; the bridge counts anew'),
  order: broken(
    'the event sequence of the API: the bridge and its validator keep it',
    [client.openai('needs the whole sequence'), client.aiSdk('needs added, done and ids')],
    filled,
  ),
  'no-previous-response': odd(
    'a stored response can be gone on from',
    [client.codex('over WebSocket it sends everything again')],
    'turnwire sends the whole conversation; the bridge stores responses itself',
  ),
};
