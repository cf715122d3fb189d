import { broken, client, odd, type QuirkTable } from './quirk.ts';

const grace = 'turnwire completes at the finish, at the latest after usage_grace_ms; the bridge ends the body itself';

/** How answers end. */
export const endingQuirks: QuirkTable = {
  'finish-then-hold': broken(
    'after the finish the body has to end',
    [
      client.openai('hangs'),
      client.aiSdk('hangs'),
      client.oldCodex('stalls'),
      client.opencodex('300 s of heartbeats, then response.failed'),
    ],
    grace,
  ),
  'done-then-hold': broken('after the sentinel the body has to end', [client.aiSdk('hangs')], grace),
  'comment-only-life': broken(
    'after the finish the body has to end; comments keep it alive for nothing',
    [client.openai('hangs'), client.aiSdk('hangs'), client.opencodex('fails a finished answer')],
    grace,
  ),
  'bare-done': broken(
    'a finish_reason ends an answer, and the sentinel is [DONE]',
    [client.openai('throws'), client.opencodex('response.failed')],
    'turnwire takes both spellings of the sentinel for the end',
  ),
  'bare-done-hold': broken(
    'a finish_reason ends an answer, the sentinel is [DONE], and the body ends',
    [client.openai('throws'), client.aiSdk('hangs'), client.opencodex('response.failed')],
    'turnwire takes both spellings of the sentinel for the end',
  ),
  'no-sentinel': odd(
    'Chat Completions streams end with [DONE]',
    [client.naive('wait for the sentinel')],
    'turnwire needs no sentinel; the bridge adds it',
  ),
  'no-finish-close': broken(
    'an answer that is over says so with a finish_reason or a terminal event',
    [
      client.openai('throws on the chat wire, silent success on Responses'),
      client.aiSdk('error on the chat wire, silent success on Responses'),
      client.opencodex('response.completed: silent truncation'),
    ],
    'turnwire: stream_truncated, the text is kept; on_close = "complete" for servers that always do it',
  ),
  'no-finish-done': broken(
    'an answer that is over says so with a finish_reason',
    [client.openai('throws'), client.naive('take a cut answer for a whole one')],
    'turnwire completes at the sentinel; tool calls only when their arguments are whole',
  ),
  'no-last-blank-line': broken(
    'a blank line ends every event',
    [client.aiSdk('error'), client.naive('lose the last event')],
    'turnwire reads the last event at the close',
  ),
  'late-error': broken(
    'nothing follows a finished answer',
    [client.openai('throws after the answer was delivered'), client.naive('fail a finished answer')],
    'turnwire ignores errors after the finish',
  ),
  'late-delta': odd(
    'nothing follows a finished answer',
    [client.naive('show text that does not belong to the answer')],
    'turnwire reads only usage after the finish',
  ),
  'sentinel-on-responses': odd(
    'the Responses wire has no sentinel',
    [client.naive('fail to parse it')],
    'turnwire ends at response.completed',
  ),
  'slow-close': odd(
    'the body ends with the answer',
    [client.openai('the end of each turn is late by that much'), client.aiSdk('likewise')],
    grace,
  ),
  'unclean-close': odd(
    'a chunked body ends with its last chunk, not with the connection',
    [client.naive('report a broken connection after a finished answer')],
    'turnwire is done at the finish',
  ),
  'empty-stream': broken(
    'status 200 promises an answer',
    [client.openai('throws'), client.naive('take it for an empty answer')],
    'turnwire: stream_truncated, and the session tries again',
  ),
  'stall-after': broken(
    'an answer goes on, or ends',
    [
      client.openai('no idle timeout, waits for ever'),
      client.aiSdk('no idle timeout, waits for ever'),
      client.opencodex('300 s'),
    ],
    'stream_idle_timeout_ms, and progress_timeout_ms where comments go on',
  ),
  'reset-after': broken(
    'a connection lives as long as its answer',
    [client.naive('lose what was on its way')],
    'turnwire: stream_truncated, what came is delivered, the session tries again',
  ),
  'cut-after': broken(
    'a connection lives as long as its answer',
    [client.naive('take a cut answer for a whole one')],
    'turnwire: stream_truncated, what came is delivered, the session tries again',
  ),
  'cut-mid-event': broken(
    'an answer ends with a whole event',
    [client.openai('throws'), client.naive('take a cut answer for a whole one')],
    'turnwire: stream_truncated, what came is delivered, the session tries again',
  ),
};
