import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Agent, type AgentEvent, type ApprovalRequest } from '../../packages/agent/src/index.ts';
import { visibleLines } from '../../packages/wire/src/base/printable.ts';
import { temporaryFolder } from '../agent/helpers.ts';
import { call, completed, message, ScriptedModel } from '../agent/scripted-model.ts';
import { HOSTILE, hostile, notAllowed } from './hostile.ts';
import { keys, startChat } from './harness.ts';

/** One event of each type, with all its texts: a type that is added has to be added here. */
const events: { readonly [Type in AgentEvent['type']]: Extract<AgentEvent, { type: Type }> } = {
  'turn.started': { type: 'turn.started', turn: 1 },
  'input.accepted': { type: 'input.accepted', item: { type: 'message', role: 'user', content: 'asked' } },
  created: { type: 'created', response_id: 'r' },
  server_model: { type: 'server_model', model: 'm' },
  models_etag: { type: 'models_etag', etag: 'e' },
  rate_limits: { type: 'rate_limits' } as never,
  unknown: { type: 'unknown', raw_type: 'x', raw: { text: 'x' } } as never,
  'reasoning_summary_part.added': { type: 'reasoning_summary_part.added', summary_index: 0, item_id: 'rs' },
  'reasoning_summary_text.delta': {
    type: 'reasoning_summary_text.delta',
    delta: 'why',
    summary_index: 0,
    item_id: 'rs',
  },
  'reasoning_summary_text.done': { type: 'reasoning_summary_text.done', text: 'why', summary_index: 0, item_id: 'rs' },
  'reasoning_text.delta': { type: 'reasoning_text.delta', delta: 'because', content_index: 0, item_id: 'rt' },
  'output_text.delta': { type: 'output_text.delta', delta: 'said [link](http://a.test/x "t") `code`', item_id: 'msg' },
  'refusal.delta': { type: 'refusal.delta', delta: 'refused', item_id: 'ref' },
  'output_item.added': { type: 'output_item.added', item: call('look', {}, 'call_1') },
  'tool_call_input.delta': { type: 'tool_call_input.delta', call_id: 'call_1', name: 'look', delta: '{"a":1}' },
  'output_item.done': {
    type: 'output_item.done',
    item: message('whole\n\n```js\ncode\n```\n\n| a | b |\n|-|-|\n| c | d |\n', 'whole'),
  },
  retrying: {
    type: 'retrying',
    attempt: 1,
    max: 5,
    delay_ms: 10,
    discarded_item_ids: [],
    error: { kind: 'server_error', message: 'broken', code: 'c', replay_safe: true, retry: 'same' } as never,
  },
  completed: completed() as Extract<AgentEvent, { type: 'completed' }>,
  'tool.started': {
    type: 'tool.started',
    call_id: 'call_1',
    name: 'look',
    kind: 'edit',
    title: 'look at it',
    locations: [{ path: '/x' }],
    changes: [
      { kind: 'update', path: '/x', old_text: 'a', new_text: 'b', diff: '--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n' },
    ],
  },
  'approval.requested': {
    type: 'approval.requested',
    approval_id: 'ap',
    call_id: 'call_1',
    name: 'look',
    title: 'look at it',
    reason: 'it writes',
    rules: ['look *'],
  },
  'approval.resolved': { type: 'approval.resolved', approval_id: 'ap', call_id: 'call_1', decision: 'once' },
  'elicitation.requested': {
    type: 'elicitation.requested',
    elicitation_id: 'el',
    call_id: 'call_1',
    mode: 'form',
    server: 'test',
    message: 'your name?',
  },
  'elicitation.resolved': {
    type: 'elicitation.resolved',
    elicitation_id: 'el',
    call_id: 'call_1',
    action: 'accept',
  },
  'tool.output': { type: 'tool.output', call_id: 'call_1', stream: 'stdout', delta: 'printed' },
  'tool.finished': {
    type: 'tool.finished',
    call_id: 'call_1',
    name: 'look',
    status: 'failed',
    output: 'out',
    duration_ms: 1,
  },
  'history.compacting': { type: 'history.compacting', reason: 'asked' },
  'plan.updated': { type: 'plan.updated', steps: [{ step: 'a step', status: 'pending' }] },
  'project_doc.told': { type: 'project_doc.told', path: '/x/AGENTS.md', name: 'AGENTS.md', bytes: 1, is_cut: false },
  'history.compacted': { type: 'history.compacted', items_before: 2, items_after: 1 },
  warning: { type: 'warning', message: 'careful' },
  'turn.failed': { type: 'turn.failed', error: { kind: 'server_error', message: 'failed', code: 'c' } as never },
  'turn.interrupted': { type: 'turn.interrupted' } as never,
  'turn.completed': { type: 'turn.completed', requests: 1 },
};

const request: ApprovalRequest = {
  approvalId: 'ap',
  callId: 'call_1',
  name: 'shell',
  title: 'touch x',
  reason: 'it writes a file',
  rules: ['touch x'],
};

/** Plays hostile events, then asks a hostile question. */
class HostileAgent extends Agent {
  readonly #ask: () => Promise<unknown>;

  constructor(approver: (request: ApprovalRequest, options: { signal: AbortSignal }) => Promise<unknown>) {
    super({ model: new ScriptedModel() });
    this.#ask = () => approver(hostile(request), { signal: new AbortController().signal });
  }

  override async *run(): AsyncGenerator<readonly AgentEvent[]> {
    const all = Object.values(events);
    for (const event of all) {
      yield [hostile(event)];
      // Drawn with each, not only at the end.
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (event.type === 'approval.requested') await this.#ask();
    }
  }
}

describe('what a stranger wrote', () => {
  it('reaches the terminal as text alone, whichever field of whichever event it is in', async () => {
    const cwd = await temporaryFolder();
    const name = 'file\u202e\x1b]52;c;cHduZWQ=\x07\u200b.txt';
    await mkdir(join(cwd, 'dir\x9b31m'));
    await writeFile(join(cwd, name), '');
    await writeFile(join(cwd, 'dir\x9b31m', 'x\u3164'), '');
    const chat = await startChat([], {
      rows: 50,
      columns: 100,
      backend: {
        open: (_what, approver) => Promise.resolve({ agent: new HostileAgent(approver), notes: [hostile('a note')] }),
        provider: `test${HOSTILE}`,
        model: `tiny${HOSTILE}`,
        providers: () => Promise.resolve([`one${HOSTILE}`, 'another']),
        openProvider: () => Promise.reject(new Error(hostile('no such provider'))),
        threads: () =>
          Promise.resolve([
            { id: `id${HOSTILE}`, preview: `earlier${HOSTILE}` } as never,
            { id: 'other', preview: '' } as never,
          ]),
        greeting: [hostile('welcome')],
        cwd,
      },
      ready: 'tiny\\u{1b}',
    });
    chat.say('go');
    await chat.terminal.until('deny and say why');
    const question = chat.terminal.screen();
    expect(question.find((row) => row.includes('\\u{1b}[8m'))).toBeDefined();
    chat.clock.pass(1000);
    chat.terminal.press('y');
    await chat.idle();
    chat.say('/resume');
    await chat.terminal.until('earlier');
    chat.terminal.press(keys.escape, keys.ctrlC);
    chat.say('/provider');
    await chat.terminal.until('another');
    chat.terminal.press(keys.escape, keys.ctrlC);
    chat.say(`/provider one${HOSTILE.replaceAll(/\s/g, '')}`);
    await chat.terminal.until('no such provider');
    chat.terminal.type('@');
    await chat.terminal.until('file\\u{202e}\\u{1b}]52');
    chat.terminal.type('file');
    chat.terminal.press(keys.tab);
    await chat.terminal.parsed();
    chat.terminal.press('\x1b[200~pasted\u202e\u200b\u00a0\x1b[201~');
    await chat.terminal.until('pasted');
    chat.app.screen.renderNow();
    expect(notAllowed(chat.terminal.written)).toEqual([]);
    // All of it was drawn: nothing passed only because nobody showed it.
    const all = chat.terminal.all().join('\n');
    for (const text of ['asked', 'said', 'whole', 'careful', 'look', 'failed', 'welcome', 'a note', '+b', '⎿']) {
      expect(all).toContain(text);
    }
    expect(visibleLines(all)).toBe(all);
  });
});
