import { client } from './clients.ts';
import { broken, odd, type QuirkTable } from './quirk.ts';

const nothing = 'nothing: this is right';
const errorFirst = 'send an error event before the socket is closed';
const json404 = 'answer 404 with {"error":{"message","type","code"}}';
const upgrade = 'answer an upgrade with 101, or at once with 426';

const typed = 'a typed error by its code and shape; the session goes on by HTTP when it lasts';

/** HTTP around the answers, and the WebSocket. */
export const transportQuirks: QuirkTable = {
  gzip: odd(
    'a stream is not compressed unless asked for',
    [client.naive('see binary'), 'compressors hold events back'],
    'turnwire decompresses as it streams',
    'do not compress text/event-stream',
  ),
  redirect: odd(
    'a POST is answered where it arrives',
    [client.naive('follow with GET')],
    'turnwire follows 307 and 308',
    'serve the path that is asked',
  ),
  'wrong-content-type': broken(
    'a stream is text/event-stream',
    [client.naive('refuse it, or read it as one JSON body')],
    'turnwire looks at the bytes; the bridge sends the right type',
    'send Content-Type: text/event-stream',
    { repairs: ['wrong_content_type'] },
  ),
  'turn-state': odd(
    'sticky routing: the value comes back in every request of the turn',
    [client.naive('drop it, and lose the route')],
    'turnwire echoes it within the turn and forgets it after',
    nothing,
  ),
  'rate-limit-headers': odd('limits in headers are an offer', [], 'turnwire tells them as rate_limits events', nothing),
  'no-keep-alive': odd(
    'connections are used again',
    ['everybody: a new connection for each request'],
    'nothing to do: turnwire connects anew',
    'keep connections open between requests',
  ),
  'cancel-ignored': odd(
    'a client that leaves frees its place',
    ['everybody: the next request waits for an answer nobody reads (litellm#13774)'],
    'turnwire closes the connection at once; more is in the hands of the server',
    'stop the model when the connection is closed',
  ),
  'models-missing': odd(
    'GET /models lists the models',
    [client.opencode('offers no model')],
    'name the model yourself (--model)',
    'serve GET /models: {"object":"list","data":[{"id","object":"model"}]}',
    { outcome: 'not-offered' },
  ),
  'unknown-path-shape': odd(
    'an unknown path is a 404 with a JSON error',
    [client.naive('show HTML')],
    'nothing to do',
    json404,
  ),
  'ws-426': odd(
    'a server without WebSocket says 426 at once: the right way to refuse',
    [],
    'turnwire goes on by HTTP for the session, said once',
    nothing,
    { outcome: 'not-offered' },
  ),
  'ws-status': odd(
    'a server without WebSocket refuses with 426',
    [client.codex('6 to 7 s lost, when supports_websockets is set')],
    'turnwire goes on by HTTP for the session; the bridge answers 426',
    upgrade,
    { outcome: 'not-offered' },
  ),
  'ws-silent': broken(
    'an upgrade is answered',
    [client.codex('112 s lost')],
    'websocket_connect_timeout_ms, then HTTP for the session',
    upgrade,
  ),
  'ws-close-after': broken(
    'a socket lives as long as its answer',
    [client.codex('retries the turn')],
    typed,
    errorFirst,
  ),
  'ws-close-clean': broken(
    'a socket lives as long as its answer',
    [client.naive('take a clean close for the end of the answer')],
    'turnwire: stream_truncated',
    errorFirst,
  ),
  'ws-error-frame': broken(
    'a good request is answered',
    [client.codex('retries it; it does not know the error event'), 'openclaw#122727: untyped'],
    typed,
    'look into its log: the request is a plain one of this wire',
  ),
  'ws-limit': odd(
    'sockets have a limit of time',
    [client.codex('reconnects')],
    'turnwire reconnects and sends the request again',
    'end the socket between two answers, not within one',
  ),
  'ws-forgets': broken(
    'the response before is known on its socket',
    [client.codex('reconnects and sends everything')],
    'turnwire sends the full input',
    'keep the last response of a socket as long as the socket',
  ),
  'ws-ping': odd('pings keep sockets alive', [], 'turnwire answers them; they are no progress', nothing),
  'ws-binary': broken(
    'events are text messages',
    [client.codex('ignores binary messages')],
    'turnwire: protocol',
    'send events as text messages',
  ),
  'ws-rate-limits': odd(
    'the Codex backend tells its limits as an event',
    [],
    'turnwire tells them as rate_limits',
    nothing,
  ),
};
