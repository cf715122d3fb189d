import { broken, client, odd, type QuirkTable } from './quirk.ts';

const typed = 'a typed error by its code and shape; the session goes on by HTTP when it lasts';

/** HTTP around the answers, and the WebSocket. */
export const transportQuirks: QuirkTable = {
  gzip: odd(
    'a stream is not compressed unless asked for',
    [client.naive('see binary'), 'compressors hold events back'],
    'turnwire decompresses as it streams',
  ),
  redirect: odd(
    'a POST is answered where it arrives',
    [client.naive('follow with GET')],
    'turnwire follows 307 and 308',
  ),
  'wrong-content-type': broken(
    'a stream is text/event-stream',
    [client.naive('refuse it, or read it as one JSON body')],
    'turnwire looks at the bytes; the bridge sends the right type',
  ),
  'turn-state': odd(
    'sticky routing: the value comes back in every request of the turn',
    [client.naive('drop it, and lose the route')],
    'turnwire echoes it within the turn and forgets it after',
  ),
  'rate-limit-headers': odd('limits in headers are an offer', [], 'turnwire tells them as rate_limits events'),
  'no-keep-alive': odd(
    'connections are used again',
    ['everybody: a new connection for each request'],
    'nothing to do: turnwire connects anew',
  ),
  'cancel-ignored': odd(
    'a client that leaves frees its place',
    ['everybody: the next request waits for an answer nobody reads (litellm#13774)'],
    'turnwire closes the connection at once; more is in the hands of the server',
  ),
  'models-missing': odd(
    'GET /models lists the models',
    [client.opencode('offers no model')],
    'name the model yourself (--model)',
  ),
  'unknown-path-shape': odd('an unknown path is a 404 with a JSON error', [client.naive('show HTML')], 'nothing to do'),
  'ws-426': odd(
    'a server without WebSocket says 426 at once: the right way to refuse',
    [],
    'turnwire goes on by HTTP for the session, said once',
  ),
  'ws-status': odd(
    'a server without WebSocket refuses with 426',
    [client.codex('6 to 7 s lost, when supports_websockets is set')],
    'turnwire goes on by HTTP for the session; the bridge answers 426',
  ),
  'ws-silent': broken(
    'an upgrade is answered',
    [client.codex('112 s lost')],
    'websocket_connect_timeout_ms, then HTTP for the session',
  ),
  'ws-close-after': broken('a socket lives as long as its answer', [client.codex('retries the turn')], typed),
  'ws-close-clean': broken(
    'a socket lives as long as its answer',
    [client.naive('take a clean close for the end of the answer')],
    'turnwire: stream_truncated',
  ),
  'ws-error-frame': broken(
    'a good request is answered',
    [client.codex('retries it; it does not know the error event'), 'openclaw#122727: untyped'],
    typed,
  ),
  'ws-limit': odd(
    'sockets have a limit of time',
    [client.codex('reconnects')],
    'turnwire reconnects and sends the request again',
  ),
  'ws-forgets': broken(
    'the response before is known on its socket',
    [client.codex('reconnects and sends everything')],
    'turnwire sends the full input',
  ),
  'ws-ping': odd('pings keep sockets alive', [], 'turnwire answers them; they are no progress'),
  'ws-binary': broken('events are text messages', [client.codex('ignores binary messages')], 'turnwire: protocol'),
  'ws-rate-limits': odd('the Codex backend tells its limits as an event', [], 'turnwire tells them as rate_limits'),
};
