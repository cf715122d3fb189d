import { client } from './clients.ts';
import { broken, odd, type QuirkTable } from './quirk.ts';

const count = 'count index from 0, by one with each block';
const sign = 'send a signature_delta as the last delta of each thinking block';

const reads = 'turnwire reads it; the bridge sends the whole sequence in order';

/** The event sequence of the Messages wire. */
export const messagesQuirks: QuirkTable = {
  'no-message-start': broken(
    'message_start comes first, with usage',
    [client.claude('asks again, not streamed'), client.anthropic('throws')],
    reads,
    'send message_start first, with id, model and usage',
    { repairs: ['no_message_start'] },
  ),
  'no-block-stop': broken(
    'each block has its content_block_stop',
    [
      client.claude('cannot parse the answer'),
      client.aiSdk('loses the call in silence'),
      client.opencode('loses the call in silence'),
    ],
    reads,
    'send content_block_stop for each block',
    { repairs: ['no_block_stop'] },
  ),
  'blocks-overlap': odd(
    'a block is closed before the next one starts',
    [client.naive('mix the blocks')],
    reads,
    'stop a block before the next one starts',
  ),
  'block-index-reused': broken(
    'each block has an index of its own',
    [client.claude('"Content block is not a thinking block"'), client.anthropic('runs the call with an empty input')],
    reads,
    count,
  ),
  'block-index-gaps': broken(
    'indexes count from 0 without gaps',
    [client.anthropic('runs the call with an empty input')],
    reads,
    count,
  ),
  'input-in-start': broken(
    'a call starts with input {}, its JSON comes in deltas',
    [client.claude('runs the tool with {}'), client.oldPi('runs the tool with {}')],
    reads,
    'start with "input":{} and send the JSON as input_json_delta',
    { repairs: ['whole_block'] },
  ),
  'text-in-start': broken(
    'a text starts empty and comes in deltas',
    [client.claude('no text'), client.aiSdk('no text'), client.oldPi('no text'), client.opencode('no text')],
    reads,
    'start with "text":"" and send the text as text_delta',
    { repairs: ['whole_block'] },
  ),
  'unsigned-thinking': broken(
    'thinking ends with a signature_delta',
    [
      client.aiSdk('drops it from the history'),
      client.oldPi('drops it from the history'),
      client.opencode('drops it from the history'),
    ],
    'turnwire keeps it; the bridge signs it for its client and takes its signature off again',
    sign,
  ),
  'signature-late': odd(
    'the signature comes at the end of its own block',
    [client.oldPi('drops thinking with an empty signature')],
    'turnwire keeps it; the bridge signs it for its client and takes its signature off again',
    sign,
  ),
  'unknown-deltas': broken(
    'delta types are those of the API',
    [client.aiSdk('loses the turn'), client.opencode('fails')],
    'turnwire passes them on as unknown; the bridge leaves them out',
    'send deltas of the API only',
  ),
  'stop-reason-null': broken(
    'the last message_delta has a stop_reason',
    [
      client.opencode('asks on and on after a text'),
      client.anthropic('the tool runner stops in silence'),
      client.aiSdk('does not run the calls'),
    ],
    'turnwire ends at message_stop; the bridge says end_turn or tool_use',
    'write stop_reason into the last message_delta',
    { repairs: ['no_stop_reason'] },
  ),
};
