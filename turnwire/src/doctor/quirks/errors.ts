import { broken, client, odd, type QuirkTable } from './quirk.ts';

const classes = 'one table of retry classes: the user sees what the server said';

/** Answers that are errors, or something else than a stream. */
export const errorQuirks: QuirkTable = {
  status: broken('a good request is answered with 200', ['everybody'], classes),
  unauthorized: broken(
    'the key is accepted',
    ['everybody'],
    "unauthorized, never retried: name the key's variable (--env-key)",
  ),
  'retry-after': odd(
    '429 with Retry-After says how long to wait',
    [client.codex('does not read the header')],
    'turnwire waits that long, up to 60 s',
  ),
  'rate-limit-text': odd(
    '429 says how long to wait in Retry-After',
    [client.naive('retry at once')],
    'turnwire reads "try again in 1.3s" in the message',
  ),
  'invalid-prompt': broken(
    'a harmless prompt is not refused',
    [client.codex('final, shown to the user')],
    'invalid_request, never retried',
  ),
  'thought-signature': odd(
    'a call of the history needs nothing but its id, its name and its arguments',
    [client.naive('drop the signature, and fail at the output of the first call'), client.agents('drops it')],
    'turnwire keeps it on its call and gives it back; through Codex it rides in encrypted_content',
  ),
  'call-ids-checked': odd(
    'an id of a call is any text',
    [client.naive('fail where a conversation began with another model (opencode#1680)')],
    "turnwire writes the ids of others as Mistral's servers and models want them, the same each time",
  ),
  'reasoning-wanted': odd(
    'what the model thought need not come back',
    [client.naive('fail at the output of the first call (continue#11711)')],
    'turnwire sends it to the servers and models that want it, be it an empty text',
  ),
  'value-refused': odd(
    'values that other servers take are taken, or passed over',
    [client.naive('fail every request (ollama#17252, experiential#804)')],
    "turnwire asks again with the nearest that the server takes, and remembers; OpenAI's servers get no raw reasoning",
  ),
  'system-between-turns': odd(
    'the system may speak between turns, or is read as a user',
    [client.naive('fail every request of a conversation in which it once did')],
    'turnwire lets the user say it, once that was refused, and remembers; --system-as-user: from the start',
  ),
  'quota-wording': broken(
    'money that is gone is a 402 or a 429 with the code insufficient_quota',
    [client.naive('retry what can never succeed (kimi-code#1857)')],
    'turnwire: quota_exceeded by code or by words, never retried; the bridge tells the code insufficient_quota',
  ),
  'param-refused': odd(
    'a parameter of the API is taken, or passed over',
    [client.naive('fail every request')],
    'turnwire asks again without it, or under the name that the server knows, once, and remembers',
  ),
  'image-refused': odd(
    'a model takes images, or its server passes over them',
    [client.codex('every later request of the conversation fails'), client.naive('fail for ever')],
    'turnwire puts a line of text in place of the image, once, and remembers',
  ),
  'bad-json-request': broken(
    'a request that is JSON is read',
    ['everybody'],
    'invalid_request with the words of the server, after one request',
  ),
  'bad-request-status': odd(
    'a malformed request is answered with 400 and {"error":{"message"}}',
    [client.naive('retry what can never succeed')],
    'turnwire tells the words of the server, whatever their shape',
  ),
  'bad-request-accepted': odd('a body that is no JSON is refused', [], 'nothing to do'),
  'error-200': broken(
    'an error has an error status',
    [client.openai('an empty answer'), client.naive('an empty answer')],
    'turnwire reads the error in the body',
  ),
  'error-mid-stream': broken(
    'a started answer is finished',
    [client.openai('throws'), client.aiSdk('error'), client.opencodex('response.failed')],
    'a typed error with its retry class; what came before is delivered',
  ),
  'finish-error': broken(
    'error is no finish_reason',
    [client.naive('take it for a finished answer')],
    'turnwire: server_error, and the session tries again',
  ),
  'response-failed': broken(
    'a good request does not fail',
    [client.codex('retries server_error five times')],
    'a typed error by its code, thrown at once',
  ),
  'failed-then-hold': broken(
    'after response.failed the body has to end',
    [client.codex('does not hear of it until the close (codex#43140)')],
    'turnwire throws at once; the bridge ends the body itself',
  ),
  incomplete: broken(
    'an answer below its token limit is not cut',
    [client.naive('take it for a whole one')],
    'turnwire: incomplete, with the reason as code',
  ),
  'html-200': broken(
    'a model server does not answer with web pages',
    ['everybody: an empty answer, or a parse error'],
    'turnwire: protocol, and says to check the URL',
  ),
  'html-502': broken(
    'behind a proxy there is a server',
    [client.naive('show HTML')],
    'turnwire: server_error without the page, and the session tries again',
  ),
  'json-instead-of-sse': broken(
    'a stream was asked for',
    ['nearly every client: an empty answer or an error'],
    'turnwire decodes the body; the bridge makes a stream of it',
  ),
  'stream-instead-of-json': broken(
    'no stream was asked for',
    ['every client that asks without a stream: a parse error'],
    'the bridge makes one body of it',
  ),
  'no-answer': broken('a request is answered', ['everybody'], 'first_byte_timeout_ms'),
  'refuse-connection': broken(
    'a listening server answers',
    ['everybody'],
    'turnwire: connection_failed, and the session tries again',
  ),
};
