/**
 * What is made good of what a server does wrong, by name; each name is a label of a metric. The text says what the
 * server did. Faults that nobody notices, since the standard allows them (line ends, comments, chunks), have no name.
 */
export const repairs = {
  // Every wire
  skipped_event: 'an event was no JSON object of the expected shape, and was passed over',
  invalid_utf8: 'a text held bytes that are no UTF-8',
  no_last_blank_line: 'the last event came without its blank line',
  json_for_stream: 'one JSON body came where a stream was due',
  wrong_content_type: 'the stream came under the content type of something else',
  stream_for_json: 'a stream came where one JSON body was due',
  held_connection: 'the connection stayed open after the answer had ended',
  odd_shape: 'the answer came in a shape or an order that its client cannot take, and that has no name here',
  odd_refusal: 'a refusal was not told as the wire tells it',
  failure_as_success: 'a failure came under the status of a success, before anything else',
  untold_failure: 'the answer broke off or fell silent, and no event said so',
  resumed: 'the connection was lost in the middle of the answer, and another one brought the rest',
  think_tags: 'the reasoning was in the text, between tags',
  // Chat Completions: docs/contract.md section 3
  no_finish_reason: 'the sentinel came without a finish_reason',
  no_end: 'the body ended without a finish_reason or a sentinel',
  bare_sentinel: 'the sentinel was DONE without brackets',
  empty_finish_reason: 'a finish_reason was "", which is none',
  finish_reason_spelling: 'a finish_reason was spelled in another way',
  unknown_finish: 'a finish_reason was a word that nobody here knows',
  stop_with_tool_calls: 'whole tool calls ended with a finish_reason that is not theirs',
  no_tool_index: 'a fragment of a tool call had no index',
  reused_tool_index: 'two tool calls had the same index',
  late_call_id: 'the id of a tool call came behind its first fragment',
  shared_call_id: 'two tool calls had the same id',
  changing_call_id: 'the fragments of one tool call had different ids',
  stray_tool_index: 'the fragments of one tool call had different indexes',
  doubled_arguments: 'the arguments of a tool call came twice',
  no_call_id: 'a tool call had no id',
  arguments_object: 'the arguments of a tool call were an object instead of JSON text',
  function_call: 'a tool call came in the old field function_call',
  content_parts: 'the text was a list of parts',
  message_for_delta: 'a chunk had a message instead of a delta',
  usage_in_choice: 'the usage was inside a choice',
  // Responses: docs/contract.md section 4
  no_created: 'the stream began without response.created',
  no_response_id: 'the response had no id',
  no_item_id: 'an item had no id',
  no_output_index: 'an item had no output_index',
  unannounced_item: 'an item was told of before it was announced, or was never announced',
  unfinished_item: 'an item was never said to be done',
  item_only_at_end: 'an item was in the final output alone',
  repeated_item: 'an item was announced or done twice',
  repeated_item_id: 'two items had the same id',
  changed_item_id: 'an item was done under another id than it was announced with, or under none',
  malformed_message: 'a message had no list of parts, or no role',
  // Messages: docs/contract.md section 8
  no_message_start: 'the stream began without message_start',
  no_block_start: 'a delta came for a block that never began',
  no_block_index: 'a block or a delta had no index',
  no_block_stop: 'a block was never said to be done',
  reused_block_index: 'a block began at the index of one that was open',
  stray_delta: 'a delta stood in a block of another kind, or in one that was done',
  whole_block: 'text, thinking or input stood in content_block_start',
  no_stop_reason: 'the end came without a stop_reason',
  // Requests
  usage_refused: 'the server refused to be asked for usage; it was asked without',
  max_tokens_refused: 'the server refused max_tokens; it was asked with max_completion_tokens',
  max_completion_tokens_refused: 'the server refused max_completion_tokens; it was asked with max_tokens',
  effort_value_refused: 'the server refused the effort of reasoning; it was asked with the nearest',
  effort_refused: 'the server refused reasoning_effort; it was asked without',
  temperature_refused: 'the server refused temperature; it was asked without',
  top_p_refused: 'the server refused top_p; it was asked without',
  parallel_tool_calls_refused: 'the server refused parallel_tool_calls; it was asked without',
  strict_refused: 'the server refused strict tools or schemas; it was asked without strict',
  developer_role_refused: 'the server refused the role developer; it was asked with system',
  thinking_refused: 'the server refused thinking that it did not sign; it was asked without',
  system_between_turns_refused:
    'the server refused what the system said between turns; it was sent as a text of the user',
  json_schema_refused: 'the server refused a JSON schema; it was asked for any JSON object',
  images_refused: 'the model takes no images; a line of text was sent in place of each',
  text_parts_refused: 'the server refused text in parts; it was sent as one text',
  retry: 'a request failed before its first event, and was sent again',
  failover: 'a request failed before its first event, and another server was asked',
} as const;

/** The name of something that was wrong with an answer or a request and was put right. */
export type Repair = keyof typeof repairs;

/** So many skipped events are kept, and so much of each, in UTF-16 code units. */
const SKIPPED_EVENTS = 16;
const SKIPPED_LENGTH = 256;

/** Collects what was repaired in one answer; give one to the decoder or encoder to know it. */
export class Repairs {
  /** Each once, in order. */
  readonly names = new Set<Repair>();
  /** The data of skipped events: the first of them, each cut short. */
  readonly skipped: string[] = [];

  /** Grows with each name and each event, for whoever looks again and again. */
  changes = 0;

  add(repair: Repair): void {
    if (this.names.has(repair)) return;
    this.names.add(repair);
    this.changes++;
  }

  skip(data: string): void {
    this.add('skipped_event');
    if (this.skipped.length >= SKIPPED_EVENTS) return;
    this.skipped.push(data.slice(0, SKIPPED_LENGTH));
    this.changes++;
  }
}
