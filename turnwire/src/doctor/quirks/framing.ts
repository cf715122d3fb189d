import { broken, client, odd, type QuirkTable } from './quirk.ts';

const framer = 'turnwire frames after the standard, whatever the cut of the chunks';

/** The byte stream around the events, and its pace. */
export const framingQuirks: QuirkTable = {
  bom: odd('a byte order mark may come first', [client.naive('lose the first event')], 'turnwire skips it'),
  crlf: odd('LF, CRLF and CR all end lines', [client.naive('split at LF LF and find no event')], framer),
  cr: odd('LF, CRLF and CR all end lines', [client.naive('find no event at all')], framer),
  'multi-line-data': odd(
    'several data lines are one payload, joined with line ends',
    [client.naive('parse each line for itself')],
    framer,
  ),
  'no-space': odd(
    'the space after the colon may be missing',
    [client.naive('look for "data: " and find none')],
    framer,
  ),
  'extra-fields': odd('id and retry lines are allowed', [], framer),
  'no-event-lines': odd(
    'Responses events have an event: line that repeats their type',
    [client.naive('dispatch on the event name and see nothing')],
    'turnwire dispatches on the type in the payload; the bridge writes both',
  ),
  'wrong-event-name': odd(
    'the event: line repeats the type of the payload',
    [client.naive('dispatch on the event name and see nothing')],
    'turnwire dispatches on the type in the payload; the bridge writes both',
  ),
  comments: odd(
    'comments keep a connection alive',
    [client.codex('they do not re-arm its idle timer'), client.naive('parse them as data')],
    'any byte re-arms stream_idle_timeout_ms; the bridge sends each client the heartbeat it understands',
  ),
  'junk-lines': broken(
    'data is JSON',
    [client.openai('throws'), client.naive('fail to parse')],
    'turnwire passes it over and counts it',
  ),
  'truncated-json': broken(
    'a payload is whole in its event',
    [client.openai('throws'), client.naive('fail to parse')],
    'turnwire passes it over and counts it',
  ),
  'empty-data': odd('an empty event says nothing', [client.openai('throws'), client.naive('fail to parse')], framer),
  'heartbeat-events': odd(
    'a keep-alive is a comment; only Codex wants an event',
    [client.openai('throws on an event type that it does not know')],
    'turnwire passes it on as unknown; the bridge sends each client the heartbeat it understands',
  ),
  'invalid-utf8': odd(
    'a stream is UTF-8',
    [client.naive('throw in the middle of an answer')],
    'turnwire shows U+FFFD and goes on',
  ),
  'one-byte-chunks': odd('chunks may be cut anywhere', [client.naive('lose events that arrive in pieces')], framer),
  'split-utf8': odd('chunks may be cut anywhere', [client.naive('break characters at the cut')], framer),
  'one-chunk': odd(
    'events are sent as they are made; a proxy that buffers needs X-Accel-Buffering: no',
    ['everybody: nothing to see until the answer is over, and idle timers may run out'],
    'nothing: the proxy has to be told; first_byte_timeout_ms is the limit to raise',
  ),
  'giant-event': odd(
    'events are small',
    [client.naive('hold all of it in one buffer')],
    'max_event_bytes is the bound, 16 MiB without it',
  ),
  'endless-line': broken(
    'a line ends',
    [client.naive('fill their memory')],
    'max_event_bytes: past it a protocol error',
  ),
  'keep-alive-comments': odd(
    'comments may come while an answer is waited for',
    [client.codex('its idle timer runs all the same')],
    'progress_timeout_ms is the limit for streams of nothing but comments',
  ),
  'slow-headers': odd(
    'the head comes at once, so that a client knows that it was heard',
    [client.naive('give up')],
    'first_byte_timeout_ms',
  ),
  'slow-first-byte': odd(
    'the first event comes soon after the head',
    [client.naive('give up')],
    'first_byte_timeout_ms',
  ),
  drip: odd('an answer flows faster than it is read', [], 'nothing to do: stream_idle_timeout_ms is far away'),
};
