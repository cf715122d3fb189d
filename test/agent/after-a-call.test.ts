import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROTOCOL_VERSION } from '@agentclientprotocol/sdk';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAcpAgent } from '../../turnwire/src/acp/index.ts';
import { Agent, createTools, sessionModel, ThreadStore, type ModelPort } from '../../packages/agent/src/index.ts';
import { isObject } from '../../packages/wire/src/base/json.ts';
import { createProvider } from '../../packages/client/src/provider/provider.ts';
import { createModelSession } from '../../packages/client/src/session/session.ts';
import { startMock, type MockServer, type RecordedRequest, type Scenario } from '../../packages/testing/src/index.ts';
import type { ModelEvent } from '../../packages/wire/src/model/events.ts';
import { assistantText, transcriptOf } from '../../packages/wire/src/model/transcript.ts';
import { Editor } from '../acp/client.ts';
import { linesOf, runInProcess } from '../cli/harness.ts';
import { startChat, transcript } from '../terminal/harness.ts';
import { temporaryFolder } from './helpers.ts';

/*
 * docs/contract.md section 6: "an item that was done and a tool that ran are not done again". A call is done, its tool runs, and
 * then the stream breaks: every way to break, on every wire, under every face of the agent.
 */

/** Text, a call that leaves a trace, more text; then the answer. A second message gets a second answer. */
const scenario: Scenario = {
  turns: [
    {
      replies: [
        {
          parts: [
            { type: 'reasoning', text: 'Look first.' },
            { type: 'text', text: 'Let me look.' },
            {
              type: 'tool_call',
              name: 'shell',
              arguments: { command: 'echo ran >> ran.log; echo 41' },
              callId: 'call_1',
            },
            { type: 'text', text: 'This takes a moment.', chunk: 5 },
          ],
        },
        { parts: [{ type: 'text', text: 'It is 41.' }] },
      ],
    },
    { replies: [{ parts: [{ type: 'text', text: 'Still 41.' }] }] },
  ],
};

/** The events of the first reply, as text. */
async function firstReply(path: string, body: object): Promise<string[]> {
  await using server = await startMock({ scenario });
  const request = { method: 'POST', body: JSON.stringify({ model: 'm', stream: true, ...body }) };
  return (await (await fetch(`${server.baseUrl}/${path}`, request)).text()).trim().split('\n\n');
}

const onResponses = await firstReply('responses', { input: 'go' });
const onChat = await firstReply('chat/completions', { messages: [{ role: 'user', content: 'go' }] });

/** After how many events the call is done, the text behind it is begun, everything is done but the response. */
const CALL_DONE = onResponses.findIndex((text) => text.includes('output_item.done') && text.includes('call_1')) + 1;
const MID_TEXT = onResponses.findIndex((text) => text.includes('takes')) + 1;
const ALL_DONE = onResponses.length - 1;
/** On the chat wire everything is done at the finish. */
const FINISHED = onChat.findIndex((text) => text.includes('"finish_reason":"')) + 1;

type Wire = 'responses' | 'websocket' | 'chat';

const settings = { requestMaxRetries: 1, streamMaxRetries: 1 };
/** Long enough for any answer on a busy machine; only what stalls waits for it. */
const idle = { streamIdleTimeoutMs: 3000 };

function modelOf(server: MockServer, wire: Wire): ModelPort {
  const provider = createProvider({
    ...settings,
    ...idle,
    baseUrl: server.baseUrl,
    wireApi: wire === 'chat' ? 'chat' : 'responses',
    supportsWebsockets: wire === 'websocket',
    model: 'm',
  });
  const session = createModelSession({ provider, random: () => 0 });
  onTestFinished(() => session.close());
  return sessionModel(session);
}

const env = { PATH: process.env.PATH ?? '' };

/** What a person saw of a conversation, and how its first turn ended. */
interface Seen {
  readonly text: string;
  readonly first: 'completed' | 'failed';
}

/** A conversation of one message, or two, with every command allowed. */
type Talk = (server: MockServer, wire: Wire, cwd: string, prompts: readonly string[]) => Promise<Seen>;

function exec(print: (stdout: string) => string, ...flags: string[]): Talk {
  return async (server, wire, cwd, prompts) => {
    const home = join(cwd, '.home');
    await mkdir(join(home, '.config/turnwire'), { recursive: true });
    await writeFile(join(home, '.config/turnwire/config.toml'), providerTable(server, wire));
    const args = ['exec', '--provider', 'here', '--model', 'm', '--tools', 'all', '--approve', 'always', ...flags];
    const codes: (number | null)[] = [];
    let text = '';
    for (const prompt of prompts) {
      const resume = codes.length === 0 ? [] : ['--resume', 'last'];
      const result = await runInProcess([...args, ...resume, prompt], { cwd, home, env });
      codes.push(result.code);
      text += print(result.stdout);
    }
    return { text, first: codes[0] === 0 ? 'completed' : 'failed' };
  };
}

function providerTable(server: MockServer, wire: Wire): string {
  return `[model_providers.here]
base_url = "${server.baseUrl}"
wire_api = "${wire === 'chat' ? 'chat' : 'responses'}"
supports_websockets = ${wire === 'websocket'}
request_max_retries = ${settings.requestMaxRetries}
stream_max_retries = ${settings.streamMaxRetries}
stream_idle_timeout_ms = ${idle.streamIdleTimeoutMs}
`;
}

const chat: Talk = async (server, wire, cwd, prompts) => {
  const tools = await createTools({ cwd, env });
  const model = modelOf(server, wire);
  const open = () => Promise.resolve({ agent: new Agent({ model, tools, approvals: 'always' }), notes: [] });
  const running = await startChat([], { rows: 60, backend: { open } });
  const ends: Seen['first'][] = [];
  for (const prompt of prompts) {
    running.say(prompt);
    await running.idle();
    const failed = running.app.view.cells.some((cell) => cell.type === 'notice' && cell.level === 'error');
    ends.push(failed ? 'failed' : 'completed');
  }
  return { text: transcript(running.terminal.all()).join('\n'), first: ends[0]! };
};

const acp: Talk = async (server, wire, cwd, prompts) => {
  const threads = new ThreadStore(join(cwd, '.threads'));
  const { app } = createAcpAgent({
    openModel: () => Promise.resolve({ port: modelOf(server, wire), env }),
    threads,
    version: '1',
  });
  const editor = new Editor();
  editor.answer = 'once';
  const ends: Seen['first'][] = [];
  await editor.app.connectWith(app, async (context) => {
    await context.request('initialize', { protocolVersion: PROTOCOL_VERSION });
    const { sessionId } = await context.request('session/new', { cwd, mcpServers: [] });
    for (const text of prompts) {
      const turn = context.request('session/prompt', { sessionId, prompt: [{ type: 'text', text }] });
      ends.push(
        await turn.then(
          ({ stopReason }) => (stopReason === 'end_turn' ? 'completed' : 'failed'),
          () => 'failed' as const,
        ),
      );
    }
  });
  return { text: editor.text(), first: ends[0]! };
};

const faces: Record<string, Talk> = {
  exec: exec((stdout) => stdout),
  'exec --json': exec((stdout) => {
    const { items } = transcriptOf(linesOf(stdout) as unknown as ModelEvent[]);
    return assistantText(items);
  }, '--json'),
  chat,
  acp,
};

/** The conversation as a request has it, in short: `call ID`, `output ID`, or who speaks. */
function conversation({ body }: RecordedRequest): string[] {
  const entries = (body?.input ?? body?.messages) as unknown[];
  return entries.filter(isObject).flatMap((entry) => {
    if (entry.type === 'function_call') return [`call ${String(entry.call_id)}`];
    if (entry.type === 'function_call_output') return [`output ${String(entry.call_id)}`];
    if (entry.role === 'tool') return [`output ${String(entry.tool_call_id)}`];
    const calls = ((entry.tool_calls ?? []) as { id: string }[]).map((call) => `call ${call.id}`);
    return typeof entry.role === 'string' ? [entry.role, ...calls] : [];
  });
}

interface Row {
  readonly face: string;
  readonly wire: Wire;
  readonly faults: readonly string[];
  readonly prompts?: readonly string[];
}

/** All that must hold of a conversation, as one line to compare. */
interface Outcome {
  readonly row: string;
  readonly first: Seen['first'];
  readonly requests: number;
  /** Calls and outputs in the last request. */
  readonly told: readonly string[];
  /** What the tool left behind: a line for each run. */
  readonly ran: string;
  /** How often each text was shown. */
  readonly shown: Readonly<Record<string, number>>;
}

const nameOf = ({ face, wire, faults }: Row): string => `${face}, ${wire}: ${faults.join(', ')}`;

async function outcomeOf(row: Row, texts: readonly string[]): Promise<Outcome> {
  const cwd = await temporaryFolder();
  await using server = await startMock({ scenario, faults: [...row.faults] });
  const { text, first } = await faces[row.face]!(server, row.wire, cwd, row.prompts ?? ['Which number?']);
  const last = server.requests.at(-1);
  return {
    row: nameOf(row),
    first,
    requests: server.requests.length,
    told: last === undefined ? [] : conversation(last).filter((entry) => /^(call|output) /.test(entry)),
    ran: await readFile(join(cwd, 'ran.log'), 'utf8'),
    shown: Object.fromEntries(texts.map((part) => [part, text.split(part).length - 1])),
  };
}

/** Plays all rows at the same time. The call and its output have to be told once, and the tool to have run once. */
async function expectAll(
  rows: readonly Row[],
  expected: Omit<Outcome, 'row' | 'told' | 'ran'> | ((row: Row) => Omit<Outcome, 'row' | 'told' | 'ran'>),
): Promise<void> {
  const wanted = rows.map((row) => ({
    row: nameOf(row),
    told: ['call call_1', 'output call_1'],
    ran: 'ran\n',
    ...(typeof expected === 'function' ? expected(row) : expected),
  }));
  const texts = wanted.map(({ shown }) => Object.keys(shown));
  expect(await Promise.all(rows.map((row, at) => outcomeOf(row, texts[at]!)))).toEqual(wanted);
}

const codes = ['server_error', 'server_is_overloaded', 'rate_limit_exceeded'];

/** Every way in which a stream can break after the call, and be worth a retry. */
const broken: Record<'responses' | 'websocket', readonly string[][]> = {
  responses: [
    ...[CALL_DONE, MID_TEXT, ALL_DONE].flatMap((n) => [[`cut-after:${n}@1`], [`reset-after:${n}@1`]]),
    ['no-finish-close@1'],
    ['truncated-json@1', 'no-finish-close@1'],
    ['cut-mid-event@1'],
    ...['object', 'string', 'status', 'event', 'flat'].map((shape) => [`error-mid-stream:${shape}@1`]),
    ...codes.map((code) => [`response-failed:${code}@1`]),
    ['failed-then-hold@1'],
  ],
  websocket: [
    ...[CALL_DONE, MID_TEXT, ALL_DONE].flatMap((n) => [[`ws-close-after:${n}@1`], [`reset-after:${n}@1`]]),
    ...['nested', 'flat', 'no-status'].map((shape) => [`ws-error-frame:${shape}@1`]),
    ['error-mid-stream@1'],
    ...codes.map((code) => [`response-failed:${code}@1`]),
  ],
};

const wires = ['responses', 'websocket'] as const;
const names = Object.keys(faces);
const crossed = names.flatMap((face) => wires.map((wire) => ({ face, wire })));
const answered = { first: 'completed', requests: 2, shown: { 'Let me look.': 1, 'It is 41.': 1 } } as const;
const timeout = 30_000;

describe('after a finished call', () => {
  test.each(crossed)(
    'a break on the $wire wire, under $face: two requests, the text once',
    { timeout },
    async (where) => {
      await expectAll(
        broken[where.wire].map((faults) => ({ ...where, faults })),
        answered,
      );
    },
  );

  test('a stall on every wire under every face: two requests, the text once', { timeout }, async () => {
    const stalls = [CALL_DONE, MID_TEXT, ALL_DONE].map((n) => `stall-after:${n}@1`);
    await expectAll(
      crossed.flatMap((where) => stalls.map((fault) => ({ ...where, faults: [fault] }))),
      answered,
    );
  });

  // A chat server's call is done with the whole answer, whose end nothing can take back.
  test.each(names)('on the chat wire, under %s: no break', { timeout }, async (face) => {
    const ends = ['cut-after', 'reset-after', 'stall-after'].map((name) => `${name}:${FINISHED}@1`);
    await expectAll(
      [...ends, 'late-error@1', 'late-delta@1'].map((fault) => ({ face, wire: 'chat', faults: [fault] })),
      { ...answered, shown: { ...answered.shown, 'This takes a moment.': 1 } },
    );
  });

  test.each(crossed)(
    'a failure on the $wire wire, under $face: the next turn knows the call',
    { timeout },
    async (where) => {
      const failures: Record<string, number> = {
        'response-failed:invalid_prompt@1': 1, // What no retry mends.
        'incomplete@1': 1,
        'response-failed@1, response-failed@2': 2, // The retry fails, too.
      };
      await expectAll(
        Object.keys(failures).map((faults) => ({
          ...where,
          faults: faults.split(', '),
          prompts: ['Which number?', 'And now?'],
        })),
        ({ faults }) => ({
          first: 'failed',
          requests: (failures[faults.join(', ')] ?? 0) + 1,
          shown: { 'Let me look.': 1, 'Still 41.': 1 },
        }),
      );
    },
  );
});
