import { isObject, type JsonObject } from '@turnwire/wire/internal/base/json';
import type { Frame } from '../answer.ts';
import type { RequestView } from '../scenario/request-view.ts';
import { overHttp, type FaultSpec } from './fault.ts';
import { withToolCalls } from '../frames.ts';
import { word } from './args.ts';
import { refuse } from './errors.ts';

/** Faults of servers that refuse requests which others take. */
export const requestFaults: readonly FaultSpec[] = [
  {
    name: 'thought-signature',
    summary: 'Calls have a signature, and HTTP 400 answers a history whose calls came back without it: Gemini 3.',
    wires: ['chat'],
    create: () => ({
      head: (head, { request }) => {
        const call = callsOf(request).find((one) => signatureIn(one) !== signatureOf(nameOf(one)));
        if (call === undefined) return;
        const message = `Function call \`${nameOf(call)}\` is missing a thought_signature in functionCall parts. This is required for tools to work correctly.`;
        refuse(head, 400, { message, type: 'invalid_request_error', code: 'INVALID_ARGUMENT' });
      },
      frames: (frames) => frames.map(signed),
    }),
  },
  {
    name: 'param-refused',
    args: 'NAME',
    summary:
      'HTTP 400 that names NAME, for a request that has a member of that name anywhere: servers and models that do not know it.',
    wires: overHttp,
    create: (arg) => {
      const name = word('param-refused', arg);
      return {
        head: (head, { request }) => {
          if (!hasMember(request.body, name)) return;
          const message = `Unsupported parameter: '${name}' is not supported with this model.`;
          refuse(head, 400, { message, type: 'invalid_request_error', param: name, code: 'unsupported_parameter' });
        },
      };
    },
  },
  {
    name: 'image-refused',
    summary: 'HTTP 400 for a request with an image: models that read text alone, such as those of DeepSeek.',
    wires: overHttp,
    create: () => ({
      head: (head, { request }) => {
        if (!hasImage(request.body.messages ?? request.body.input)) return;
        const message = 'Failed to deserialize the JSON body: unknown variant `image_url`, expected `text`';
        refuse(head, 400, { message, type: 'invalid_request_error' });
      },
    }),
  },
];

function callsOf({ body }: RequestView): JsonObject[] {
  const messages: unknown[] = Array.isArray(body.messages) ? body.messages : [];
  return messages.flatMap((message) =>
    isObject(message) && Array.isArray(message.tool_calls) ? (message.tool_calls as unknown[]).filter(isObject) : [],
  );
}

function nameOf(call: JsonObject): string {
  return isObject(call.function) ? String(call.function.name) : '';
}

/** Of a call's name: a mock has no memory that a restart would keep. */
function signatureOf(name: string): string {
  return Buffer.from(`thought behind ${name}`).toString('base64');
}

function signatureIn(call: JsonObject): unknown {
  const extra = isObject(call.extra_content) ? call.extra_content.google : undefined;
  return isObject(extra) ? extra.thought_signature : undefined;
}

/** The fragment that opens a call has the name, and the signature beside it. */
function signed(frame: Frame): Frame {
  return withToolCalls(frame, (call) => {
    const name = isObject(call.function) ? call.function.name : undefined;
    if (typeof name !== 'string') return call;
    return { ...call, extra_content: { google: { thought_signature: signatureOf(name) } } };
  });
}

/** Looks at members of members too, but not into what a tool or a schema calls its own. */
function hasMember(value: unknown, name: string): boolean {
  if (Array.isArray(value)) return value.some((one) => hasMember(one, name));
  if (!isObject(value)) return false;
  return Object.entries(value).some(
    ([key, inner]) => key === name || (key !== 'parameters' && key !== 'schema' && hasMember(inner, name)),
  );
}

function hasImage(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasImage);
  if (!isObject(value)) return false;
  return (
    value.type === 'image_url' ||
    value.type === 'input_image' ||
    value.type === 'image' ||
    Object.values(value).some(hasImage)
  );
}
