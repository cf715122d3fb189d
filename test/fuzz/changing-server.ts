import fc from 'fast-check';
import type { ProtocolId } from '../../packages/wire/src/index.ts';
import type { Stream } from './stream.ts';

/** A value of an event: a text or a number that may differ each time, what is the same each time, or members and elements with values. */
type Node = 'text' | 'number' | { readonly same: string } | readonly Member[] | { readonly list: readonly Node[] };
type Member = readonly [name: string, node: Node];

/** The events of a wire that say one text, and what stands around them in an answer. */
interface Wire {
  readonly deltas: readonly (readonly Member[])[];
  readonly begin: string;
  readonly end: string;
}

const chatDelta = (...delta: Member[]): readonly Member[] => [
  ...(['id', 'model', 'system_fingerprint', 'obfuscation'] as const).map((name): Member => [name, 'text']),
  ['created', 'number'],
  [
    'choices',
    {
      list: [
        [
          ['index', 'number'],
          ['delta', delta],
        ],
      ],
    },
  ],
];
const input: readonly Member[] = [
  ['index', 'number'],
  ['function', [['arguments', 'text']]],
];

const responsesDelta = (kind: string): readonly Member[] => [
  ['type', { same: `response.${kind}.delta` }],
  ['item_id', 'text'],
  ['output_index', 'number'],
  ['content_index', 'number'],
  ['sequence_number', 'number'],
  ['delta', 'text'],
];

const messagesDelta = (type: string, name: string): readonly Member[] => [
  ['type', { same: 'content_block_delta' }],
  ['index', 'number'],
  [
    'delta',
    [
      ['type', { same: type }],
      [name, 'text'],
    ],
  ],
];

const wires: Readonly<Record<ProtocolId, Wire>> = {
  chat: {
    deltas: [
      chatDelta(['content', 'text']),
      chatDelta(['role', { same: 'assistant' }], ['content', 'text']),
      chatDelta(['reasoning_content', 'text']),
      chatDelta(['tool_calls', { list: [input] }]),
    ],
    begin: '{"id":"a","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f"}}]}}]}',
    end: '{"id":"a","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
  },
  responses: {
    deltas: ['output_text', 'reasoning_text', 'function_call_arguments'].map(responsesDelta),
    begin:
      '{"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"a","role":"assistant"}}',
    end: '{"type":"response.completed","response":{"id":"r","output":[]}}',
  },
  messages: {
    deltas: [
      messagesDelta('text_delta', 'text'),
      messagesDelta('thinking_delta', 'thinking'),
      messagesDelta('input_json_delta', 'partial_json'),
    ],
    begin: '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
    end: '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}',
  },
};

const TEXTS = ['a', 'b'];
const NUMBERS = ['0', '1'];
const ODD_TEXTS = ['', 'é', '\\n', '\\u0061', '\\ud83d', '\ufffd', '\\x', '\t', 'x'.repeat(40)];
const ODD_NUMBERS = ['0.0', '1e0', '-0', '-1', '07', '2', 'null', '"0"', '1234567890123456'];

/** The value of an event that is an odd one, if it has as many. */
interface Odd {
  readonly at: number;
  readonly value: number;
}

const odds: fc.Arbitrary<Odd> = fc.record({ at: fc.nat(20), value: fc.nat(8) });

interface Change {
  readonly kind: 'move' | 'again' | 'drop' | 'escape' | 'more';
  readonly at: number;
}

/** How the server's events of one form differ from the usual one. */
interface Form {
  readonly delta: number;
  /** Members that change their place, that come once more, that are missing, whose name is written otherwise, and that are new. */
  readonly changes: readonly Change[];
  readonly odd: Odd;
  readonly head: string;
  readonly tail: string;
}

const forms: fc.Arbitrary<Form> = fc.record({
  delta: fc.nat(3),
  changes: fc.array(
    fc.record({
      kind: fc.constantFrom<Change['kind']>('move', 'again', 'again', 'drop', 'escape', 'more'),
      at: fc.nat(30),
    }),
    {
      maxLength: 3,
    },
  ),
  odd: odds,
  head: fc.constantFrom(
    'data: ',
    'data: ',
    'data:',
    ': hi\ndata: ',
    'event: x\ndata: ',
    'event: error\ndata: ',
    '\ufeffdata: ',
  ),
  tail: fc.constantFrom('\n\n', '\n\n', '\n\n', '\r\n\r\n', '\n: hi\n\n', '\ndata:\n\n', '\r\r'),
});

/** One event: which of the server's forms it has, and which values. */
interface Event {
  readonly form: number;
  readonly values: readonly number[];
  readonly odd: Odd;
}

const events: fc.Arbitrary<Event> = fc.record({
  form: fc.nat(2),
  values: fc.array(fc.nat(1), { minLength: 12, maxLength: 12 }),
  odd: odds,
});
const answers = fc.record({ events: fc.array(events, { maxLength: 6 }), begins: fc.boolean(), ends: fc.boolean() });

/** Answers of a server that writes its events in a few forms, and changes from one to another as it likes. */
export const changingServers: fc.Arbitrary<Stream> = fc
  .record({
    wire: fc.constantFrom<ProtocolId>('chat', 'responses', 'messages'),
    forms: fc.array(forms, { minLength: 1, maxLength: 3 }),
    answer: answers,
    before: fc.array(answers, { minLength: 1, maxLength: 4 }),
    cuts: fc.array(fc.nat(2000), { maxLength: 6 }),
  })
  .map(({ wire, forms: known, answer, before, cuts }) => {
    const { begin, end, deltas } = wires[wire];
    const write = ({ events: all, begins, ends }: typeof answer): string =>
      [
        ...(begins ? [`data: ${begin}\n\n`] : []),
        ...all.map((event) => writeEvent(deltas, known[event.form % known.length]!, event)),
        ...(ends ? [`data: ${end}\n\n`] : []),
      ].join('');
    return { wire, options: {}, cuts, bytes: new TextEncoder().encode(write(answer)), before: before.map(write) };
  });

function writeEvent(deltas: Wire['deltas'], form: Form, { values, odd }: Event): string {
  let n = 0;
  const next: NextValue = (usual, others) => {
    const strange = [odd, form.odd].find(({ at }) => at === n);
    const value = values[n % values.length]!;
    n++;
    return strange === undefined ? usual[value % usual.length]! : others[strange.value % others.length]!;
  };
  const event = form.changes.reduce(changed, deltas[form.delta % deltas.length]!);
  return form.head + written(event, next) + form.tail;
}

type NextValue = (usual: readonly string[], odd: readonly string[]) => string;

function written(node: Node, next: NextValue): string {
  if (node === 'text') return `"${next(TEXTS, ODD_TEXTS)}"`;
  if (node === 'number') return next(NUMBERS, ODD_NUMBERS);
  if ('same' in node) return JSON.stringify(node.same);
  if ('list' in node) return `[${node.list.map((each) => written(each, next)).join(',')}]`;
  return `{${node.map(([name, value]) => `"${name}":${written(value, next)}`).join(',')}}`;
}

/** The change is made to one of the event's members, at whatever depth. */
function changed(event: readonly Member[], { kind, at }: Change): readonly Member[] {
  let left = at % Math.max(1, countMembers(event));
  const walk = (members: readonly Member[]): readonly Member[] => {
    const all: Member[] = [];
    const moved: Member[] = [];
    for (const member of members) {
      if (left-- === 0) applyTo(member, kind, all, moved);
      else all.push([member[0], walkNode(member[1])]);
    }
    return [...all, ...moved];
  };
  const walkNode = (node: Node): Node => {
    if (typeof node === 'string' || 'same' in node) return node;
    return 'list' in node ? { list: node.list.map(walkNode) } : walk(node);
  };
  return walk(event);
}

function applyTo([name, node]: Member, kind: Change['kind'], here: Member[], behind: Member[]): void {
  if (kind === 'escape') here.push([`\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`, node]);
  if (kind === 'more') here.push(['more', 'number']);
  if (kind === 'again' || kind === 'more') here.push([name, node]);
  if (kind === 'again' || kind === 'move') behind.push([name, node]);
}

function countMembers(node: Node): number {
  if (typeof node === 'string' || 'same' in node) return 0;
  const inner = 'list' in node ? node.list : node.map(([, value]) => value);
  const own = 'list' in node ? 0 : node.length;
  return inner.reduce((sum: number, each) => sum + countMembers(each), own);
}
