import type { JsonObject } from '@turnwire/wire/internal/base/json';
import type { Frame } from '../answer.ts';
import { oneOf } from './args.ts';
import { overHttp, type FaultSpec, type FaultWire } from './fault.ts';

const chunk = (choice: JsonObject): JsonObject => ({
  id: 'chatcmpl-other',
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: {}, finish_reason: null, ...choice }],
});

/** A short answer of each wire that a server may speak instead. */
const answers = {
  chat: [chunk({ delta: { role: 'assistant', content: 'Hello.' } }), chunk({ finish_reason: 'stop' })],
  responses: [
    { type: 'response.created', response: { id: 'resp_other', object: 'response', status: 'in_progress', output: [] } },
    { type: 'response.output_text.delta', item_id: 'msg_other', output_index: 0, content_index: 0, delta: 'Hello.' },
    { type: 'response.completed', response: { id: 'resp_other', object: 'response', status: 'completed', output: [] } },
  ],
  messages: [
    { type: 'message_start', message: { id: 'msg_other', type: 'message', role: 'assistant', content: [] } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello.' } },
    { type: 'message_stop' },
  ],
  ollama: [
    { model: 'm', message: { role: 'assistant', content: 'Hello.' }, done: false },
    { model: 'm', message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop' },
  ],
} as const satisfies Readonly<Record<string, readonly JsonObject[]>>;

type OtherWire = keyof typeof answers;

const names = Object.keys(answers) as OtherWire[];

const others: Readonly<Record<FaultWire, OtherWire>> = {
  chat: 'responses',
  responses: 'chat',
  messages: 'chat',
  websocket: 'chat',
};

/** Servers that answer in a wire which nobody asked for. */
export const wrongWireFaults: readonly FaultSpec[] = [
  {
    name: 'wrong-wire',
    args: '[WIRE]',
    choices: names,
    summary:
      'The answer is of another wire: stubs that say the same on every path; WIRE is chat, responses (default: the other one), messages or ollama.',
    wires: overHttp,
    lossy: true,
    create: (arg) => ({
      frames: (_frames, { wire }) => answers[oneOf('wrong-wire', arg, names, others[wire])].map(frameOf),
    }),
  },
];

function frameOf(value: JsonObject): Frame {
  return { kind: 'json', event: typeof value.type === 'string' ? value.type : '', value };
}
