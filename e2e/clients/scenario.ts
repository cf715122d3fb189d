import {
  startMock,
  type MockServer,
  type Reply,
  type ReplyPart,
  type Scenario,
  type Turn,
} from '../../packages/testing/src/index.ts';
import { protocolIds, type ProtocolId } from '../../packages/wire/src/index.ts';
import { startBridge, type BridgeProcess } from '../bridge-process.ts';

/** The wires of the server behind the bridge. */
export const WIRES = protocolIds;

/** What the model says in the end to `read …`, when every tool ran once and got back what was its own. */
export const READ = 'Read: <a.txt> <ü "b".txt> <c.txt>';

/** What the model says to `hello`. */
export const HELLO = 'Hello, wörld 😀.';

/** What the model says in the end to `use the shell`: what each of its calls gave. */
export const SHELL_SAID = [
  '[command 1]\nü "b"\n[exit code 0]\n[command 2]\n[stderr]\nno\n[exit code 3]',
  'No output. If nothing was run: `commands` has to be a list of shell commands.',
  '2\n[exit code 0]',
].join('|');

/** What the model says in the end to `edit the files`. */
export const EDITS_SAID = 'Done.|made b|Failed: no such file|Done.|Done.';

const call = (path: string): ReplyPart => ({ type: 'tool_call', name: 'read_file', arguments: { path } });
const text = (said: string): ReplyPart => ({ type: 'text', text: said });

/** Two calls in one answer, then one, then what the tools gave. The fault is that of every answer. */
function reading(user: string, ...faults: readonly string[]): Turn {
  const replies: readonly Reply[] = [
    {
      parts: [{ type: 'reasoning', text: 'Two look-ups are due.' }, text('Looking.'), call('a.txt'), call('ü "b".txt')],
    },
    { parts: [call('c.txt')] },
    { parts: (request) => [text(`Read: ${request.toolOutputs.map((output) => output.text).join(' ')}`)] },
  ];
  return { when: { user }, replies: replies.map((reply) => ({ ...reply, faults })) };
}

const use = (name: string, args: unknown): ReplyPart => ({ type: 'tool_call', name, arguments: args });

/** One answer for each list of calls, then what the tools gave. */
function using(user: string, ...steps: readonly (readonly ReplyPart[])[]): Turn {
  const replies: readonly Reply[] = [
    ...steps.map((parts) => ({ parts })),
    { parts: (request) => [text(request.toolOutputs.map((output) => output.text).join('|'))] },
  ];
  return { when: { user }, replies };
}

/** One turn per word that a test begins its prompt with. */
const scenario: Scenario = {
  model: 'scripted',
  turns: [
    reading('read it'),
    reading('read held', 'finish-then-hold'),
    reading('read merged', 'tool-index-reused'),
    using(
      'use the shell',
      [use('shell', { commands: ['echo \'ü "b"\'', 'echo no >&2; exit 3'], timeout_ms: 5000 })],
      [use('shell', { commands: 7 })],
      [use('shell', { commands: ['echo $((1 + 1))'] })],
    ),
    using(
      'edit the files',
      [
        use('apply_patch', { type: 'create_file', path: 'a.txt', diff: '+one\n+two\n' }),
        use('apply_patch', { type: 'create_file', path: 'b.txt', diff: 'bare\n' }),
      ],
      [use('apply_patch', { path: 'a.txt' })],
      [use('apply_patch', { type: 'update_file', path: 'a.txt', diff: '@@\n one\n-two\n+zwö\n' })],
      [use('apply_patch', { type: 'delete_file', path: 'b.txt' })],
    ),
    { when: { user: 'hello' }, replies: [{ parts: [{ type: 'reasoning', text: 'A greeting.' }, text(HELLO)] }] },
    { when: { user: 'object' }, replies: [{ parts: [text('{"city":"Tromsø","rain":true}')] }] },
    { when: { user: 'repeat' }, replies: [{ parts: (request) => [text(conversationOf(request.body))] }] },
    { when: { user: 'long' }, replies: [{ parts: [text('word '.repeat(5_000))], paceMs: 5 }] },
    { when: { user: 'cut text' }, replies: [{ parts: [text('All is')], faults: ['no-finish-close'] }] },
    { when: { user: 'cut call' }, replies: [{ parts: [call('a.txt')], faults: ['no-finish-close'] }] },
    {
      when: { user: 'refuse' },
      replies: [
        {
          parts: [],
          error: { status: 400, code: 'context_length_exceeded', message: 'prompt is too long: too many tokens' },
        },
      ],
    },
    {
      when: { user: 'hand over' },
      replies: [
        { parts: [{ type: 'tool_call', name: 'transfer_to_expert', arguments: {} }] },
        { parts: (request) => [text(`From the expert: ${request.systemText}`)] },
      ],
    },
  ],
};

/** What a server was told, as `role: text` lines. */
function conversationOf(body: Readonly<Record<string, unknown>>): string {
  const entries = (body.messages ?? body.input) as readonly { readonly role?: string; readonly content?: unknown }[];
  const spoken = entries.filter((entry) => entry.role !== undefined);
  return spoken.map(({ role, content }) => `${role ?? ''}: ${textOf(content)}`).join('\n');
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return (content as readonly { readonly text?: string }[]).map((part) => part.text ?? '').join('');
}

/** The scripted server, and the bridge in front of it. */
export interface Rig extends AsyncDisposable {
  readonly mock: MockServer;
  readonly bridge: BridgeProcess;
  readonly baseURL: string;
}

export async function startRig(wire: ProtocolId): Promise<Rig> {
  const mock = await startMock({ wire, scenario });
  const bridge = await startBridge({ upstream: mock.url, wire });
  return {
    mock,
    bridge,
    baseURL: bridge.baseUrl,
    [Symbol.asyncDispose]: async () => {
      await bridge[Symbol.asyncDispose]();
      await mock.close();
    },
  };
}
