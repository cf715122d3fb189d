import type { ClientCapabilities, ContentBlock } from '@agentclientprotocol/sdk';
import type { ModeId } from '../../turnwire/src/acp/index.ts';
import type { StreamOptions } from '../../packages/agent/src/index.ts';
import { answer, call, calls, type Step } from '../agent/scripted-model.ts';
import type { Answer } from './client.ts';

/**
 * What an agent has to do on the wire, as data: the areas are those of public suites for agents (files, terminals, plans,
 * commands, modes, permissions, content), the cases are our own.
 */
export interface AcpCase {
  readonly name: string;
  /** What the editor offers. Default: nothing. */
  readonly offers?: ClientCapabilities;
  /** On the disk before. */
  readonly files?: Readonly<Record<string, string>>;
  /** In the editor, not saved yet. */
  readonly unsaved?: Readonly<Record<string, string>>;
  /** Default `ask`. */
  readonly mode?: ModeId;
  /** To each question. Default: no. */
  readonly answer?: Answer;
  /** Each response of the model. */
  readonly model: readonly Step[][];
  /** Default: one of the text "go". */
  readonly prompts?: readonly (readonly ContentBlock[])[];
  /** All that the editor gets, in order, in short: see `shortUpdate`; a request with `<-` in front. */
  readonly gets: readonly string[];
  /**
   * When the editor cancels: at a line that it gets, `model waits` (it is at `stall`), `command runs` (it has
   * written the file `pid`), or `before` and `after` the first prompt. Default:
   * never.
   */
  readonly cancelAt?: string;
  /** How often it cancels. Default 1. */
  readonly cancels?: number;
  /** Tools of an MCP server of the editor's are there. Default false. */
  readonly hasServer?: boolean;
  /** Default: `end_turn` of each prompt. */
  readonly stops?: readonly string[];
  /** On the disk behind; `null`: nothing. */
  readonly leaves?: Readonly<Record<string, string | null>>;
  /** What the last request of the model says somewhere. */
  readonly modelSees?: readonly string[];
}

/** The model says nothing more. */
export const stall: (options: StreamOptions) => Promise<unknown> = () => new Promise(() => undefined);

const fs = { readTextFile: true, writeTextFile: true };
const read = calls(call('read_file', { path: 'a.txt' }));
const patch = calls(
  call('apply_patch', { input: '*** Begin Patch\n*** Update File: a.txt\n@@\n-old\n+new\n*** End Patch' }),
);
const shell = (command: string) => calls(call('shell', { command }));
const plan = (...steps: [string, string][]) =>
  calls(call('update_plan', { plan: steps.map(([step, status]) => ({ step, status })) }, `plan_${steps[0]?.[1]}`));
const text = (value: string): ContentBlock => ({ type: 'text', text: value });
const commands = 'available_commands_update compact undo';
const title = (value = 'go') => `session_info_update ${value}`;
const done = 'agent_message_chunk done';

export const cases: readonly AcpCase[] = [
  {
    name: 'files: what is not saved is read through the editor',
    offers: { fs },
    files: { 'a.txt': 'saved' },
    unsaved: { 'a.txt': 'unsaved' },
    model: [read, answer('done')],
    gets: [
      commands,
      title(),
      'tool_call call_1 read pending: read a.txt',
      '<- fs/read_text_file a.txt',
      'tool_call_update call_1 completed: unsaved',
      done,
    ],
    modelSees: ['unsaved'],
  },
  {
    name: 'files: a patch is read and written through the editor, once it is allowed',
    offers: { fs },
    files: { 'a.txt': 'old\n' },
    answer: 'once',
    model: [patch, answer('done')],
    gets: [
      commands,
      title(),
      '<- fs/read_text_file a.txt',
      'tool_call call_1 edit pending: patch a.txt',
      '<- session/request_permission call_1',
      'tool_call_update call_1 in_progress',
      '<- fs/read_text_file a.txt',
      '<- fs/write_text_file a.txt',
      'tool_call_update call_1 completed: applied:\nM a.txt',
      done,
    ],
    leaves: { 'a.txt': 'new\n' },
  },
  ...[false, true].flatMap((readTextFile) =>
    [false, true]
      .filter((writeTextFile) => !(readTextFile && writeTextFile))
      .map((writeTextFile): AcpCase => ({
        name: `files: an editor that reads (${readTextFile}) and writes (${writeTextFile}) is not asked, and the disk is read`,
        offers: { fs: { readTextFile, writeTextFile }, terminal: true },
        files: { 'a.txt': 'saved' },
        unsaved: { 'a.txt': 'unsaved' },
        model: [read, answer('done')],
        gets: [
          commands,
          title(),
          'tool_call call_1 read pending: read a.txt',
          'tool_call_update call_1 completed: saved',
          done,
        ],
      })),
  ),
  {
    name: 'files: one that is not there fails the call, and the turn goes on',
    offers: { fs },
    model: [read, answer('done')],
    gets: [
      commands,
      title(),
      'tool_call call_1 read pending: read a.txt',
      'tool_call_update call_1 failed: cannot read a.txt: ENOENT',
      done,
    ],
  },
  ...[true, false].map((terminal): AcpCase => ({
    name: `terminals: a command runs in our own sandbox, ${terminal ? 'also where the editor offers one' : 'and asks for none'}`,
    offers: { terminal },
    mode: 'auto',
    model: [shell('echo out; exit 3'), answer('done')],
    gets: [
      commands,
      'current_mode_update auto',
      title(),
      'tool_call call_1 execute pending: echo out; exit 3',
      'tool_call_update call_1 in_progress',
      'tool_call_update call_1 failed: exit code 3\nwalled in\nout\n',
      done,
    ],
    modelSees: ['exit code 3'],
  })),
  {
    name: 'plan: each change tells the whole of it',
    model: [
      plan(['look', 'in_progress'], ['act', 'pending']),
      plan(['look', 'completed'], ['act', 'in_progress']),
      answer('done'),
    ],
    gets: [
      commands,
      title(),
      'tool_call plan_in_progress other pending: plan, 0 of 2 done: look',
      'tool_call_update plan_in_progress completed: [>] look\n[ ] act',
      'plan look=in_progress act=pending',
      'tool_call plan_completed other pending: plan, 1 of 2 done: act',
      'tool_call_update plan_completed completed: [x] look\n[>] act',
      'plan look=completed act=in_progress',
      done,
    ],
  },
  {
    name: 'commands: one of ours is done without the model, what is none goes to it',
    model: [answer('done')],
    prompts: [[text('/undo')], [text('/nonsense')]],
    gets: [commands, 'agent_message_chunk There is no patch to take back.', title('/nonsense'), done],
    modelSees: ['/nonsense'],
  },
  {
    name: 'modes: read-only has no tool that acts, and none is asked for',
    mode: 'read-only',
    files: { 'a.txt': 'old\n' },
    answer: 'once',
    model: [patch, answer('done')],
    gets: [
      commands,
      'current_mode_update read-only',
      title(),
      'tool_call call_1 other pending: apply_patch',
      'tool_call_update call_1 failed: there is no tool "apply_patch": the tools are read_file, list_dir, search',
      done,
    ],
    leaves: { 'a.txt': 'old\n' },
  },
  {
    name: 'modes: read-only asks nothing, and what would need a question is not done',
    mode: 'read-only',
    answer: 'once',
    model: [calls(call('read_file', { path: '/etc/hosts' })), answer('done')],
    gets: [
      commands,
      'current_mode_update read-only',
      title(),
      'tool_call call_1 read pending: read /etc/hosts',
      'tool_call_update call_1 failed: not run: it needs approval (/etc/hosts is outside the working directory), and nobody can be asked',
      done,
    ],
  },
  {
    name: 'permission: a no leaves everything as it was, the model is told, the turn goes on',
    files: { 'a.txt': 'old\n' },
    model: [patch, answer('done')],
    gets: [
      commands,
      title(),
      'tool_call call_1 edit pending: patch a.txt',
      '<- session/request_permission call_1',
      'tool_call_update call_1 failed: not run: the user said no',
      done,
    ],
    leaves: { 'a.txt': 'old\n' },
    modelSees: ['the user said no'],
  },
  {
    name: 'permission: a yes for once is asked for again',
    answer: 'once',
    model: [shell('touch made'), answer('done'), shell('touch made'), answer('done')],
    prompts: [[text('go')], [text('again')]],
    gets: [
      commands,
      title(),
      ...['call_1', 'call_1#2'].flatMap((id) => [
        `tool_call ${id} execute pending: touch made`,
        `<- session/request_permission ${id}`,
        // Allowed, and then with what it printed.
        `tool_call_update ${id} in_progress`,
        `tool_call_update ${id} in_progress`,
        `tool_call_update ${id} completed: exit code 0\nwalled in\n`,
        done,
      ]),
    ],
    leaves: { made: '' },
  },
  {
    name: 'permission: a yes for this session is not asked for again',
    answer: 'session',
    model: [shell('touch made'), answer('done'), shell('touch made'), answer('done')],
    prompts: [[text('go')], [text('again')]],
    gets: [
      commands,
      title(),
      'tool_call call_1 execute pending: touch made',
      '<- session/request_permission call_1',
      'tool_call_update call_1 in_progress',
      'tool_call_update call_1 in_progress',
      'tool_call_update call_1 completed: exit code 0\nwalled in\n',
      done,
      'tool_call call_1#2 execute pending: touch made',
      'tool_call_update call_1#2 in_progress',
      'tool_call_update call_1#2 completed: exit code 0\nwalled in\n',
      done,
    ],
    leaves: { made: '' },
  },
  {
    name: 'content: links, embedded files and images go to the model',
    model: [answer('done')],
    prompts: [
      [
        text('look'),
        { type: 'resource_link', name: 'b', uri: 'file:///p/b.txt' },
        { type: 'resource', resource: { uri: 'file:///p/c.txt', text: 'of the file c' } },
        { type: 'image', mimeType: 'image/png', data: 'aGk=' },
      ],
    ],
    gets: [commands, title('look [file: file:///p/b.txt] [file: file:///p/c.txt] of the file c [end of file]'), done],
    modelSees: ['file:///p/b.txt', 'of the file c', 'data:image/png;base64,aGk='],
  },
  ...cancelled(),
];

/** A cancel at each stage: the prompt ends once, nothing runs on, and the next one works. */
function cancelled(): AcpCase[] {
  const goAndAgain = [[text('go')], [text('again')]];
  const stops = ['cancelled', 'end_turn'];
  const longCommand = 'trap "" TERM; echo $$ > pid; sleep 60';
  const begun = `tool_call call_1 execute pending: ${longCommand}`;
  const running = 'tool_call_update call_1 in_progress';
  const stopped = 'tool_call_update call_1 failed: stopped: the user interrupted the turn';
  const notRun = 'tool_call_update call_1 failed: not run: the user interrupted the turn before it started';
  const summarised = 'agent_thought_chunk \n[The conversation is being summarised to make room.]\n';
  const auto = 'current_mode_update auto';
  const rows: (Omit<AcpCase, 'prompts' | 'stops'> & Pick<Partial<AcpCase>, 'prompts' | 'stops'>)[] = [
    {
      name: 'before the prompt',
      cancelAt: 'before',
      model: [answer('done'), answer('done')],
      gets: [commands, title(), done, done],
      stops: ['end_turn', 'end_turn'],
    },
    {
      name: 'while the model is asked',
      cancelAt: 'model waits',
      model: [[stall], answer('done')],
      gets: [commands, title(), done],
    },
    {
      name: 'while the model talks',
      cancelAt: 'agent_message_chunk so far',
      model: [[{ type: 'output_text.delta', delta: 'so far', item_id: 'm' }, stall], answer('done')],
      gets: [commands, title(), 'agent_message_chunk so far', done],
    },
    {
      name: 'while a tool runs',
      mode: 'auto',
      cancelAt: 'command runs',
      model: [shell(longCommand), answer('done')],
      gets: [commands, auto, title(), begun, running, `${stopped}\nwalled in\n`, done],
    },
    {
      name: 'while it is asked for a permission',
      answer: 'no answer',
      cancelAt: '<- session/request_permission call_1',
      model: [shell(longCommand), answer('done')],
      gets: [commands, title(), begun, '<- session/request_permission call_1', notRun, done],
    },
    {
      name: 'while it is asked what an MCP server wants to know',
      hasServer: true,
      offers: { elicitation: { form: {} } },
      mode: 'auto',
      cancelAt: '<- elicitation/create',
      model: [calls(call('mcp__mine__confirm', {})), answer('done')],
      gets: [
        commands,
        auto,
        title(),
        'tool_call call_1 other pending: mine: confirm {}',
        '<- elicitation/create',
        stopped,
        done,
      ],
    },
    {
      name: 'while a conversation is summarised',
      cancelAt: 'model waits',
      prompts: [[text('go')], [text('/compact')], [text('again')]],
      model: [answer('done'), [stall], answer('done')],
      gets: [commands, title(), done, summarised, done],
      stops: ['end_turn', 'cancelled', 'end_turn'],
      modelSees: ['go', 'again'],
    },
    {
      name: 'while a conversation is summarised, where the editor shows that',
      offers: { session: { compaction: {} } },
      cancelAt: 'model waits',
      prompts: [[text('go')], [text('/compact')], [text('again')]],
      model: [answer('done'), [stall], answer('done')],
      gets: [commands, title(), done, 'compaction_update in_progress', 'compaction_update cancelled', done],
      stops: ['end_turn', 'cancelled', 'end_turn'],
    },
    {
      name: 'after the end',
      cancelAt: 'after',
      model: [answer('done'), answer('done')],
      gets: [commands, title(), done, done],
      stops: ['end_turn', 'end_turn'],
    },
    {
      name: 'twice',
      cancelAt: 'model waits',
      cancels: 2,
      model: [[stall], answer('done')],
      gets: [commands, title(), done],
    },
  ];
  return rows.map((row) => ({ prompts: goAndAgain, stops, ...row, name: `cancel: ${row.name}` }));
}
