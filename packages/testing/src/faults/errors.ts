import type { Frame, Head } from '../answer.ts';
import { MockUsageError } from '../errors.ts';
import { everywhere, overHttp, type FaultContext, type FaultSpec, type FaultWire } from './fault.ts';
import { messagesErrorFrame, responsesFrame, withFinish, withStopReason } from '../frames.ts';
import { requestIdOf } from '../scenario/request-view.ts';
import { count, oneOf, word } from './args.ts';
import { beforeEnd, holdInstead } from './ending.ts';
import { refuse } from './refuse.ts';

const midShapes = ['object', 'string', 'status', 'event', 'flat', 'timeout'] as const;

type MidShape = (typeof midShapes)[number];

/** Faults that end an answer badly, or answer with something else than the scripted reply. */
export const errorFaults: readonly FaultSpec[] = [
  {
    name: 'status',
    args: 'CODE[:TIMES]',
    summary: 'This HTTP status, for the first TIMES requests or always: any overloaded or misconfigured server.',
    wires: overHttp,
    lossy: true,
    create: (arg) => {
      const [code, times] = (arg ?? '').split(':');
      const status = count('status', code);
      if (status < 200 || status > 599) throw new MockUsageError(`fault status:${status}: not an HTTP status`);
      const due = firstTimes(times === undefined ? Infinity : count('status', times));
      return { head: (head, context) => (due() ? refuse(head, context, status) : undefined) };
    },
  },
  {
    name: 'retry-after',
    args: 'S[:TIMES]',
    summary: 'HTTP 429 with Retry-After: S, once or TIMES times, then the answer: OpenAI and every rate limiter.',
    wires: overHttp,
    create: (arg) => {
      const [seconds, times] = (arg ?? '').split(':');
      const after = word('retry-after', seconds, '1');
      const due = firstTimes(count('retry-after', times, 1));
      return {
        head: (head, context) => {
          if (!due()) return;
          const openai = { type: 'requests', code: 'rate_limit_exceeded' };
          refuse(head, context, 429, { message: 'Rate limit reached.', openai });
          head.headers['retry-after'] = after;
        },
      };
    },
  },
  {
    name: 'rate-limit-text',
    args: '[DELAY[:TIMES]]',
    summary:
      'HTTP 429 that tells its delay only in the message (default "28ms"), once or TIMES times: OpenAI token limits.',
    wires: overHttp,
    create: (arg) => {
      const [delay, times] = (arg ?? '').split(':');
      const due = firstTimes(count('rate-limit-text', times, 1));
      const message = `Rate limit reached for tokens per min. Please try again in ${word('rate-limit-text', delay, '28ms')}.`;
      return {
        head: (head, context) => {
          if (due()) refuse(head, context, 429, { message, openai: { type: 'tokens', code: 'rate_limit_exceeded' } });
        },
      };
    },
  },
  {
    name: 'invalid-prompt',
    summary:
      'HTTP 400 with the code invalid_prompt, which no retry mends: a prompt that the policy of the API refuses.',
    wires: overHttp,
    lossy: true,
    create: () => ({ head: invalidPrompt }),
  },
  {
    name: 'bad-json-request',
    summary: 'HTTP 400 that says the request is no JSON and echoes it: servers built on FastAPI.',
    wires: overHttp,
    lossy: true,
    create: () => ({
      head: (head, { request }) => {
        head.status = 400;
        head.headers['content-type'] = 'application/json';
        head.body = JSON.stringify({
          detail: `There was an error parsing the body: ${JSON.stringify(request.body).slice(0, 200)}`,
        });
      },
    }),
  },
  {
    name: 'error-200',
    summary: 'Status 200 with a JSON error body where a stream was due: gateways that lose the status on the way.',
    wires: overHttp,
    lossy: true,
    create: () => ({
      head: (head, context) => {
        const openai = { type: 'server_error', code: 'server_error' };
        refuse(head, context, 200, { message: 'no healthy upstream', openai });
      },
    }),
  },
  {
    name: 'error-mid-stream',
    args: '[SHAPE]',
    choices: midShapes,
    summary:
      'An error event ends the answer in its middle, in one of the shapes of OpenAI, vLLM, OpenRouter and LiteLLM; timeout: the code is request_timeout, the type that of a bad request (LiteLLM).',
    wires: everywhere,
    lossy: true,
    create: (arg) => {
      const shape = oneOf('error-mid-stream', arg, midShapes, 'object');
      return { frames: (frames, context) => [...beforeEnd(frames), midStreamErrors[context.wire](shape, context)] };
    },
  },
  {
    name: 'finish-error',
    summary: 'The finish_reason is error: OpenRouter when the provider behind it failed.',
    wires: ['chat'],
    lossy: true,
    create: () => ({ frames: (frames) => frames.map((frame) => withFinish(frame, 'error')) }),
  },
  {
    name: 'length',
    summary:
      'The finish_reason is length, or the stop_reason max_tokens, in mid-text: every server, at its token limit or a full context.',
    wires: ['chat', 'messages'],
    lossy: true,
    create: () => ({
      frames: (frames) => frames.map((frame) => withStopReason(withFinish(frame, 'length'), 'max_tokens')),
    }),
  },
  {
    name: 'content-filter',
    summary: 'The answer is cut by a content filter: Azure and OpenAI moderation.',
    wires: everywhere,
    lossy: true,
    create: () => ({ reply: (reply) => ({ ...reply, finish: 'content_filter' }) }),
  },
  {
    name: 'response-failed',
    args: '[CODE]',
    summary: 'response.failed with this code (default server_error) in mid-answer: the Responses API under load.',
    wires: ['responses', 'websocket'],
    lossy: true,
    create: (arg) => {
      const code = word('response-failed', arg, 'server_error');
      return { frames: (frames) => [...beforeEnd(frames), failed(code)] };
    },
  },
  {
    name: 'failed-then-hold',
    args: '[CODE]',
    summary:
      'response.failed, or an error event of Messages, then an open socket: servers whose clients wait for the close to hear of it.',
    wires: ['responses', 'messages'],
    lossy: true,
    create: (arg) => ({
      frames: (frames, context) => [...beforeEnd(frames), lastErrors[context.wire](arg, context)],
      steps: holdInstead,
    }),
  },
  {
    name: 'incomplete',
    args: '[REASON]',
    summary: 'response.incomplete with this reason (default max_output_tokens): the Responses API at its token limit.',
    wires: ['responses', 'websocket'],
    lossy: true,
    create: (arg) => {
      const reason = word('incomplete', arg, 'max_output_tokens');
      return { frames: (frames) => [...beforeEnd(frames), incomplete(reason)] };
    },
  },
  {
    name: 'html-200',
    summary: 'An HTML page with status 200: captive portals, login pages, a wrong path on a web server.',
    wires: overHttp,
    lossy: true,
    create: () => ({
      head: (head) => {
        head.status = 200;
        head.headers['content-type'] = 'text/html; charset=utf-8';
        head.body = '<!doctype html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>';
      },
    }),
  },
  {
    name: 'html-502',
    args: '[TIMES]',
    summary: 'An HTML page with status 502, TIMES times or always: nginx and Cloudflare in front of a dead backend.',
    wires: overHttp,
    lossy: true,
    create: (arg) => {
      const due = firstTimes(count('html-502', arg, Infinity));
      return {
        head: (head) => {
          if (!due()) return;
          head.status = 502;
          head.headers['content-type'] = 'text/html';
          head.body = '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>';
        },
      };
    },
  },
  {
    name: 'json-instead-of-sse',
    summary: 'One JSON body although a stream was asked for: servers that ignore stream.',
    wires: overHttp,
    create: () => ({
      head: (head) => {
        head.json = true;
      },
    }),
  },
];

function invalidPrompt(head: Head, context: FaultContext): void {
  const message = 'Invalid prompt: your prompt was flagged as potentially violating our usage policy.';
  const openai = { type: 'invalid_request_error', param: null, code: 'invalid_prompt' };
  refuse(head, context, 400, { message, openai, anthropic: { code: openai.code } });
}

/** True the first so many times. */
export function firstTimes(times: number): () => boolean {
  let left = times;
  return () => left-- > 0;
}

const midError = {
  message: 'The server had an error while processing your request.',
  type: 'server_error',
  code: 'server_error',
};

/** BerriAI/litellm#41777: the code says more than the type. */
const timedOut = { message: 'The upstream took too long.', type: 'invalid_request_error', code: 'request_timeout' };

const midStreamErrors: Readonly<Record<FaultWire, (shape: MidShape, context: FaultContext) => Frame>> = {
  chat: chatError,
  responses: responsesError,
  messages: messagesError,
  websocket: responsesError,
};

function responsesError(shape: MidShape): Frame {
  if (shape === 'event' || shape === 'flat') return responsesFrame({ ...midError, type: 'error', param: null });
  return responsesFrame({
    type: 'error',
    error: shape === 'timeout' ? timedOut : shape === 'string' ? midError.message : midError,
    ...(shape === 'status' ? { status: 500 } : {}),
  });
}

/** `object` is the form of the API; the others are those of servers whose chat layer fails, with or without `event:`. */
function messagesError(shape: MidShape, { request }: FaultContext): Frame {
  if (shape === 'object') return messagesErrorFrame(midError.message, requestIdOf(request));
  return chatError(shape === 'flat' ? 'object' : shape);
}

function chatError(shape: MidShape): Frame {
  switch (shape) {
    case 'string':
      return { kind: 'json', event: '', value: { error: midError.message } };
    case 'status':
      return { kind: 'json', event: '', value: { error: { message: midError.message, code: 502 }, choices: [] } };
    case 'event':
      return { kind: 'json', event: 'error', value: { error: midError } };
    case 'timeout':
      return { kind: 'json', event: '', value: { error: timedOut } };
    case 'flat':
    case 'object':
      return { kind: 'json', event: '', value: { error: midError } };
  }
}

/** The event in which an answer of each wire fails: its code, or on Messages its type, is `arg`. */
const lastErrors: Readonly<Record<FaultWire, (arg: string | undefined, context: FaultContext) => Frame>> = {
  chat: () => chatError('object'),
  responses: (arg) => failed(word('failed-then-hold', arg, 'server_error')),
  messages: (arg, { request }) =>
    messagesErrorFrame(midError.message, requestIdOf(request), word('failed-then-hold', arg, 'api_error')),
  websocket: (arg) => failed(word('failed-then-hold', arg, 'server_error')),
};

function failed(code: string): Frame {
  const error = {
    code,
    message: code === 'rate_limit_exceeded' ? 'Rate limit reached. Please try again in 28ms.' : `scripted ${code}`,
  };
  return responsesFrame({
    type: 'response.failed',
    response: { id: 'resp_failed', object: 'response', status: 'failed', error, output: [] },
  });
}

function incomplete(reason: string): Frame {
  const response = {
    id: 'resp_cut',
    object: 'response',
    status: 'incomplete',
    incomplete_details: { reason },
    output: [],
  };
  return responsesFrame({ type: 'response.incomplete', response });
}
