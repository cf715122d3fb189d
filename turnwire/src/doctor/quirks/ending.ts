import { client } from './clients.ts';
import { broken, odd, type QuirkTable } from './quirk.ts';

const endBody = 'end the body right after the last event, and wait for nothing';
const findClose =
  'find what closes the connection (a time limit of a worker or a proxy, memory), and send an error event before';

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
    endBody,
  ),
  'done-then-hold': broken('after the sentinel the body has to end', [client.aiSdk('hangs')], grace, endBody),
  'comment-only-life': broken(
    'after the finish the body has to end; comments keep it alive for nothing',
    [client.openai('hangs'), client.aiSdk('hangs'), client.opencodex('fails a finished answer')],
    grace,
    'stop the keep-alive timer when the answer is over, and end the body',
  ),
  'bare-done': broken(
    'a finish_reason ends an answer, and the sentinel is [DONE]',
    [client.openai('throws'), client.opencodex('response.failed')],
    'turnwire takes both spellings of the sentinel for the end',
    'send a chunk with a finish_reason, then data: [DONE] with its brackets',
    { repairs: ['bare_sentinel'] },
  ),
  'bare-done-hold': broken(
    'a finish_reason ends an answer, the sentinel is [DONE], and the body ends',
    [client.openai('throws'), client.aiSdk('hangs'), client.opencodex('response.failed')],
    'turnwire takes both spellings of the sentinel for the end',
    'send a chunk with a finish_reason, then data: [DONE] with its brackets, and end the body',
    { repairs: ['bare_sentinel'] },
  ),
  'no-sentinel': odd(
    'Chat Completions streams end with [DONE]',
    [client.naive('wait for the sentinel')],
    'turnwire needs no sentinel; the bridge adds it',
    'send the last event of the wire ([DONE], or message_stop) before the body ends',
  ),
  'no-finish-close': broken(
    'an answer that is over says so with a finish_reason or a terminal event',
    [
      client.openai('throws on the chat wire, silent success on Responses'),
      client.aiSdk('error on the chat wire, silent success on Responses'),
      client.opencodex('response.completed: silent truncation'),
    ],
    'turnwire: stream_truncated, the text is kept; on_close = "complete" for servers that always do it',
    'send the finish_reason, or the terminal event, before the body ends',
  ),
  'no-finish-done': broken(
    'an answer that is over says so with a finish_reason',
    [client.openai('throws'), client.naive('take a cut answer for a whole one')],
    'turnwire completes at the sentinel; tool calls only when their arguments are whole',
    'send a chunk with a finish_reason before the sentinel',
    { repairs: ['no_finish_reason'] },
  ),
  'no-last-blank-line': broken(
    'a blank line ends every event',
    [client.aiSdk('error'), client.naive('lose the last event')],
    'turnwire reads the last event at the close',
    'write a blank line behind every event, the last one too',
    { repairs: ['no_last_blank_line'] },
  ),
  'late-error': broken(
    'nothing follows a finished answer',
    [client.openai('throws after the answer was delivered'), client.naive('fail a finished answer')],
    'turnwire ignores errors after the finish',
    'send nothing after the finish; write the error into the log',
  ),
  'late-delta': odd(
    'nothing follows a finished answer',
    [client.naive('show text that does not belong to the answer')],
    'turnwire reads only usage after the finish',
    'send the finish after the last piece of the answer',
  ),
  'sentinel-on-responses': odd(
    'the Responses wire has no sentinel',
    [client.naive('fail to parse it')],
    'turnwire ends at response.completed',
    'leave [DONE] out on this wire: response.completed is its end',
  ),
  'slow-close': odd(
    'the body ends with the answer',
    [client.openai('the end of each turn is late by that much'), client.aiSdk('likewise')],
    grace,
    'end the body with the last event, before other work (logs, caches, metrics)',
  ),
  'unclean-close': odd(
    'a chunked body ends with its last chunk, not with the connection',
    [client.naive('report a broken connection after a finished answer')],
    'turnwire is done at the finish',
    'write the last chunk, of size 0, before the socket is closed',
  ),
  'empty-stream': broken(
    'status 200 promises an answer',
    [client.openai('throws'), client.naive('take it for an empty answer')],
    'turnwire: stream_truncated, and the session tries again',
    'answer with an error status, or send an error event, when there is no answer',
  ),
  'stall-after': broken(
    'an answer goes on, or ends',
    [
      client.openai('no idle timeout, waits for ever'),
      client.aiSdk('no idle timeout, waits for ever'),
      client.opencodex('300 s'),
    ],
    'stream_idle_timeout_ms, and progress_timeout_ms where comments go on',
    'send events as they are made; when the model stops, send an error event and end the body',
  ),
  'reset-after': broken(
    'a connection lives as long as its answer',
    [client.naive('lose what was on its way')],
    'turnwire: stream_truncated, what came is delivered, the session tries again',
    findClose,
  ),
  'cut-after': broken(
    'a connection lives as long as its answer',
    [client.naive('take a cut answer for a whole one')],
    'turnwire: stream_truncated, what came is delivered, the session tries again',
    findClose,
  ),
  'cut-mid-event': broken(
    'an answer ends with a whole event',
    [client.openai('throws'), client.naive('take a cut answer for a whole one')],
    'turnwire: stream_truncated, what came is delivered, the session tries again',
    'write each event whole, and flush before the connection is closed',
  ),
};
