import { client } from './clients.ts';
import { broken, odd, type QuirkTable } from './quirk.ts';

const look = 'look into its log: the request is a plain one of this wire';
const filter = 'look at the filter: the prompt is harmless';
const json = 'answer errors as JSON with an error status, in the proxy too';
const nothing = 'nothing: this is right';
const limit = 'raise the default limit of answers, or have none';

const classes = 'one table of retry classes: the user sees what the server said';

/** Answers that are errors, or something else than a stream. */
export const errorQuirks: QuirkTable = {
  status: broken('a good request is answered with 200', ['everybody'], classes, look),
  unauthorized: broken(
    'the key is accepted',
    ['everybody'],
    "unauthorized, never retried: name the key's variable (--env-key)",
    'take the key, or say which one is wanted',
  ),
  'retry-after': odd(
    '429 with Retry-After says how long to wait',
    [client.codex('does not read the header')],
    'turnwire waits that long, up to 60 s',
    nothing,
  ),
  'rate-limit-text': odd(
    '429 says how long to wait in Retry-After',
    [client.naive('retry at once')],
    'turnwire reads "try again in 1.3s" in the message',
    'send Retry-After with the 429',
  ),
  'invalid-prompt': broken(
    'a harmless prompt is not refused',
    [client.codex('final, shown to the user')],
    'invalid_request, never retried',
    filter,
  ),
  'thought-signature': odd(
    'a call of the history needs nothing but its id, its name and its arguments',
    [client.naive('drop the signature, and fail at the output of the first call'), client.agents('drops it')],
    'turnwire keeps it on its call and gives it back; through Codex it rides in encrypted_content',
    'take a call without it',
  ),
  'call-ids-checked': odd(
    'an id of a call is any text',
    [client.naive('fail where a conversation began with another model (opencode#1680)')],
    "turnwire writes the ids of others as Mistral's servers and models want them, the same each time",
    'take any text as the id of a call',
  ),
  'reasoning-wanted': odd(
    'what the model thought need not come back',
    [client.naive('fail at the output of the first call (continue#11711)')],
    'turnwire sends it to the servers and models that want it, be it an empty text',
    'take an answer of the history without its reasoning',
  ),
  'value-refused': odd(
    'values that other servers take are taken, or passed over',
    [client.naive('fail every request (ollama#17252, experiential#804)')],
    "turnwire asks again with the nearest that the server takes, and remembers; OpenAI's servers get no raw reasoning",
    'take the values of the API, or use the nearest',
    { repairs: ['effort_value_refused', 'developer_role_refused', 'json_schema_refused', 'text_parts_refused'] },
  ),
  'system-between-turns': odd(
    'the system may speak between turns, or is read as a user',
    [client.naive('fail every request of a conversation in which it once did')],
    'turnwire lets the user say it, once that was refused, and remembers; --system-as-user: from the start',
    'render a system message in any place, or as one of the user',
    { repairs: ['system_between_turns_refused'] },
  ),
  'quota-wording': broken(
    'money that is gone is a 402 or a 429 with the code insufficient_quota',
    [client.naive('retry what can never succeed (kimi-code#1857)')],
    'turnwire: quota_exceeded by code or by words, never retried; the bridge tells the code insufficient_quota',
    'answer 402, or 429 with the code insufficient_quota',
  ),
  'param-refused': odd(
    'a parameter of the API is taken, or passed over',
    [client.naive('fail every request')],
    'turnwire asks again without it, or under the name that the server knows, once, and remembers',
    'take the parameter, or pass over it',
    { outcome: 'not-offered' },
  ),
  'image-refused': odd(
    'a model takes images, or its server passes over them',
    [client.codex('every later request of the conversation fails'), client.naive('fail for ever')],
    'turnwire puts a line of text in place of the image, once, and remembers',
    'nothing, where the model takes no images',
    { repairs: ['images_refused'], outcome: 'not-offered' },
  ),
  'bad-json-request': broken(
    'a request that is JSON is read',
    ['everybody'],
    'invalid_request with the words of the server, after one request',
    'read the body as UTF-8 JSON, whatever its size',
  ),
  'bad-request-status': odd(
    'a malformed request is answered with 400 and {"error":{"message"}}',
    [client.naive('retry what can never succeed')],
    'turnwire tells the words of the server, whatever their shape',
    'answer 400 with {"error":{"message","type","code"}}',
  ),
  'bad-request-accepted': odd('a body that is no JSON is refused', [], 'nothing to do', 'answer 400'),
  'error-200': broken(
    'an error has an error status',
    [client.openai('an empty answer'), client.naive('an empty answer')],
    'turnwire reads the error in the body',
    'answer with an error status',
  ),
  'error-mid-stream': broken(
    'a started answer is finished',
    [client.openai('throws'), client.aiSdk('error'), client.opencodex('response.failed')],
    'a typed error with its retry class; what came before is delivered',
    'look into its log for why the answer broke off',
  ),
  'finish-error': broken(
    'error is no finish_reason',
    [client.naive('take it for a finished answer')],
    'turnwire: server_error, and the session tries again',
    'send an error event, {"error":{"message","type","code"}}',
  ),
  'response-failed': broken(
    'a good request does not fail',
    [client.codex('retries server_error five times')],
    'a typed error by its code, thrown at once',
    look,
  ),
  'failed-then-hold': broken(
    'after response.failed the body has to end',
    [client.codex('does not hear of it until the close (codex#43140)')],
    'turnwire throws at once; the bridge ends the body itself',
    'end the body right after the error',
  ),
  incomplete: broken(
    'an answer below its token limit is not cut',
    [client.naive('take it for a whole one')],
    'turnwire: incomplete, with the reason as code',
    limit,
  ),
  'html-200': broken(
    'a model server does not answer with web pages',
    ['everybody: an empty answer, or a parse error'],
    'turnwire: protocol, and says to check the URL',
    json,
  ),
  'html-502': broken(
    'behind a proxy there is a server',
    [client.naive('show HTML')],
    'turnwire: server_error without the page, and the session tries again',
    json,
  ),
  'json-instead-of-sse': broken(
    'a stream was asked for',
    ['nearly every client: an empty answer or an error'],
    'turnwire decodes the body; the bridge makes a stream of it',
    'stream when "stream" is true, or refuse it with 400',
    { repairs: ['json_for_stream'] },
  ),
  'stream-instead-of-json': broken(
    'no stream was asked for',
    ['every client that asks without a stream: a parse error'],
    'the bridge makes one body of it',
    'answer with one JSON body when "stream" is not true',
  ),
  'no-answer': broken(
    'a request is answered',
    ['everybody'],
    'first_byte_timeout_ms',
    'send the head before the model begins, and an error when it cannot',
  ),
  'refuse-connection': broken(
    'a listening server answers',
    ['everybody'],
    'turnwire: connection_failed, and the session tries again',
    'start it, or open its port',
  ),
};
