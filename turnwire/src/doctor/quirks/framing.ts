import { client } from './clients.ts';
import { broken, odd, type QuirkTable } from './quirk.ts';

const lf = 'end lines with LF';
const wholeEvents = 'write whole events';
const keepAlive = 'send a comment (a line that begins with a colon) to keep a connection alive';
const names = 'write event: with the type of the payload before each data:';
const jsonOnly = 'write nothing but one whole JSON object into data:';

const framer = 'turnwire frames after the standard, whatever the cut of the chunks';

/** The byte stream around the events, and its pace. */
export const framingQuirks: QuirkTable = {
  bom: odd(
    'a byte order mark may come first',
    [client.naive('lose the first event')],
    'turnwire skips it',
    'write no byte order mark',
  ),
  crlf: odd('LF, CRLF and CR all end lines', [client.naive('split at LF LF and find no event')], framer, lf),
  cr: odd('LF, CRLF and CR all end lines', [client.naive('find no event at all')], framer, lf),
  'multi-line-data': odd(
    'several data lines are one payload, joined with line ends',
    [client.naive('parse each line for itself')],
    framer,
    'write the JSON of an event in one line',
  ),
  'no-space': odd(
    'the space after the colon may be missing',
    [client.naive('look for "data: " and find none')],
    framer,
    'write one space behind the colon',
  ),
  'extra-fields': odd(
    'id and retry lines are allowed',
    [],
    framer,
    'leave them out: no client of this wire reads them',
  ),
  'no-event-lines': odd(
    'Responses events have an event: line that repeats their type',
    [client.naive('dispatch on the event name and see nothing')],
    'turnwire dispatches on the type in the payload; the bridge writes both',
    names,
  ),
  'wrong-event-name': odd(
    'the event: line repeats the type of the payload',
    [client.naive('dispatch on the event name and see nothing')],
    'turnwire dispatches on the type in the payload; the bridge writes both',
    names,
  ),
  comments: odd(
    'comments keep a connection alive',
    [client.codex('they do not re-arm its idle timer'), client.naive('parse them as data')],
    'any byte re-arms stream_idle_timeout_ms; the bridge sends each client the heartbeat it understands',
    'nothing: this is how a connection is kept alive',
  ),
  'junk-lines': broken(
    'data is JSON',
    [client.openai('throws'), client.naive('fail to parse')],
    'turnwire passes it over and counts it',
    jsonOnly,
    { repairs: ['skipped_event'] },
  ),
  'truncated-json': broken(
    'a payload is whole in its event',
    [client.openai('throws'), client.naive('fail to parse')],
    'turnwire passes it over and counts it',
    jsonOnly,
    { repairs: ['skipped_event'] },
  ),
  'empty-data': odd(
    'an empty event says nothing',
    [client.openai('throws'), client.naive('fail to parse')],
    framer,
    keepAlive,
  ),
  'heartbeat-events': odd(
    'a keep-alive is a comment; only Codex wants an event',
    [client.openai('throws on an event type that it does not know')],
    'turnwire passes it on as unknown; the bridge sends each client the heartbeat it understands',
    keepAlive,
  ),
  'invalid-utf8': odd(
    'a stream is UTF-8',
    [client.naive('throw in the middle of an answer')],
    'turnwire shows U+FFFD and goes on',
    'hold the bytes of a character until it is whole, behind the tokenizer',
    { repairs: ['invalid_utf8'] },
  ),
  'one-byte-chunks': odd(
    'chunks may be cut anywhere',
    [client.naive('lose events that arrive in pieces')],
    framer,
    wholeEvents,
  ),
  'split-utf8': odd('chunks may be cut anywhere', [client.naive('break characters at the cut')], framer, wholeEvents),
  'one-chunk': odd(
    'events are sent as they are made; a proxy that buffers needs X-Accel-Buffering: no',
    ['everybody: nothing to see until the answer is over, and idle timers may run out'],
    'nothing: the proxy has to be told; first_byte_timeout_ms is the limit to raise',
    'flush after each event; send X-Accel-Buffering: no, and turn off buffering and compression in the proxy',
  ),
  'giant-event': odd(
    'events are small',
    [client.naive('hold all of it in one buffer')],
    'max_event_bytes is the bound, 16 MiB without it',
    'cut what is large into several deltas',
  ),
  'endless-line': broken(
    'a line ends',
    [client.naive('fill their memory')],
    'max_event_bytes: past it a protocol error',
    'end the line, and cut what is large into several events',
  ),
  'keep-alive-comments': odd(
    'comments may come while an answer is waited for',
    [client.codex('its idle timer runs all the same')],
    'progress_timeout_ms is the limit for streams of nothing but comments',
    'nothing, where the model needs that long',
  ),
  'slow-headers': odd(
    'the head comes at once, so that a client knows that it was heard',
    [client.naive('give up')],
    'first_byte_timeout_ms',
    'send the head when the request is accepted, before the model begins',
  ),
  'slow-first-byte': odd(
    'the first event comes soon after the head',
    [client.naive('give up')],
    'first_byte_timeout_ms',
    'send the first event, which has no text, before the prompt is read',
  ),
  drip: odd(
    'an answer flows faster than it is read',
    [],
    'nothing to do: stream_idle_timeout_ms is far away',
    'nothing, where the model is that slow; else look for what waits between two writes',
  ),
};
