import { isObject, nonEmpty, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Frame } from '../answer.ts';
import type { RequestView } from '../scenario/request-view.ts';
import { choicesOf, withChoices, withDelta, withToolCalls } from '../frames.ts';
import { oneOf } from './args.ts';
import type { FaultSpec } from './fault.ts';
import { refuse } from './refuse.ts';

const makers = ['google', 'google-text', 'openrouter'] as const;

/** Faults of servers that refuse a conversation in which something of their own is missing, or is not as they write it. */
export const refusedHistoryFaults: readonly FaultSpec[] = [
  {
    name: 'thought-signature',
    args: '[WHOSE]',
    choices: makers,
    summary:
      'Calls have a state, and HTTP 400 answers a history whose calls are without it: Gemini 3 (google, default: thought_signature; google-text: on texts), OpenRouter (openrouter: encrypted reasoning_details).',
    wires: ['chat'],
    create: (arg) => {
      const state = states[oneOf('thought-signature', arg, makers, 'google')];
      return {
        head: (head, context) => {
          const message = assistantMessages(context.request)
            .map(state.missing)
            .find((one) => one !== undefined);
          const openai = { type: 'invalid_request_error', code: 'INVALID_ARGUMENT' };
          if (message !== undefined) refuse(head, context, 400, { message, openai });
        },
        frames: (frames) => frames.map(state.put),
      };
    },
  },
  {
    name: 'call-ids-checked',
    summary: 'HTTP 400 for a call whose id is not nine letters or digits, as those of others are: Mistral.',
    wires: ['chat'],
    create: () => ({
      head: (head, context) => {
        const id = assistantCalls(context.request)
          .flatMap(callsIn)
          .map((call) => String(call.id))
          .find((one) => !/^[a-zA-Z0-9]{9}$/.test(one));
        if (id === undefined) return;
        const message = `Tool call id was ${id} but must be a-z, A-Z, 0-9, with a length of 9.`;
        refuse(head, context, 400, { message, openai: { type: 'invalid_request_message_order', code: '3280' } });
      },
    }),
  },
  {
    name: 'reasoning-wanted',
    summary:
      'HTTP 400 for a message with calls that comes back without reasoning_content, be it empty: DeepSeek, Kimi.',
    wires: ['chat'],
    create: () => ({
      head: (head, context) => {
        if (assistantCalls(context.request).every((message) => typeof message.reasoning_content === 'string')) return;
        const message = 'thinking is enabled but reasoning_content is missing in an assistant message with tool calls';
        refuse(head, context, 400, { message });
      },
    }),
  },
];

/** What a maker puts on its calls and wants back. */
interface State {
  readonly put: (frame: Frame) => Frame;
  /** What it says of a message of the assistant that came back without it. */
  readonly missing: (message: JsonObject) => string | undefined;
}

const states: Readonly<Record<(typeof makers)[number], State>> = {
  google: {
    // The fragment that opens a call has the name, and the signature beside it.
    put: (frame) =>
      withToolCalls(frame, (call) => {
        const name = nameOf(call);
        return name === '' ? call : { ...call, extra_content: { google: { thought_signature: sealed(name) } } };
      }),
    missing: (message) => {
      const call = callsIn(message).find((one) => signatureIn(one) !== sealed(nameOf(one)));
      return call === undefined
        ? undefined
        : `Function call \`${nameOf(call)}\` is missing a thought_signature in functionCall parts. This is required for tools to work correctly.`;
    },
  },
  'google-text': {
    put: (frame) =>
      withDelta(frame, (delta) =>
        nonEmpty(delta.content) === undefined
          ? delta
          : { ...delta, extra_content: { google: { thought_signature: sealed(TEXT) } } },
      ),
    missing: (message) =>
      nonEmpty(message.content) === undefined || signatureIn(message) === sealed(TEXT)
        ? undefined
        : 'A text of the model is missing its thought_signature.',
  },
  openrouter: {
    put: (frame) => {
      const name = choicesOf(frame)
        .flatMap(({ delta }) => (isObject(delta) ? callsIn(delta) : []))
        .map(nameOf)[0];
      if (name === undefined || name === '') return frame;
      const details = [
        { type: 'reasoning.encrypted', id: `rs_${name}`, format: 'openai-responses-v1', index: 0, data: sealed(name) },
      ];
      return withChoices(frame, (choice) => ({
        ...choice,
        delta: { ...(isObject(choice.delta) ? choice.delta : {}), reasoning_details: details },
      }));
    },
    missing: (message) => {
      const [call] = callsIn(message);
      if (call === undefined) return undefined;
      const first = nameOf(call);
      const details: unknown[] = Array.isArray(message.reasoning_details) ? message.reasoning_details : [];
      const back = details.filter(isObject).some(({ data }) => data === sealed(first));
      return back ? undefined : `The reasoning_details of the call of ${first} are missing its encrypted reasoning.`;
    },
  },
};

/** What the model said in a history. */
function assistantMessages({ body }: RequestView): readonly JsonObject[] {
  const messages: unknown[] = Array.isArray(body.messages) ? body.messages : [];
  return messages.filter(isObject).filter(({ role }) => role === 'assistant');
}

/** Its messages that have calls. */
function assistantCalls(request: RequestView): readonly JsonObject[] {
  return assistantMessages(request).filter((message) => callsIn(message).length > 0);
}

function callsIn({ tool_calls: calls }: JsonObject): readonly JsonObject[] {
  return Array.isArray(calls) ? (calls as unknown[]).filter(isObject) : [];
}

function nameOf(call: JsonObject): string {
  return isObject(call.function) ? (nonEmpty(call.function.name) ?? '') : '';
}

/** What stands for the name of a call where a text is signed. */
const TEXT = 'a text';

/** Of a call's name: a mock has no memory that a restart would keep. */
function sealed(name: string): string {
  return Buffer.from(`thought behind ${name}`).toString('base64');
}

function signatureIn({ extra_content: content }: JsonObject): unknown {
  const extra = isObject(content) ? content.google : undefined;
  return isObject(extra) ? extra.thought_signature : undefined;
}
