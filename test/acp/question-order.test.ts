import type { AgentContext } from '@agentclientprotocol/sdk';
import { expect, test } from 'vitest';
import { Agent, type AgentTool, type Elicitor } from '../../packages/agent/src/index.ts';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';
import { nextTurn } from '../../packages/client/src/platform/wait.ts';
import { abilitiesOf } from '../../turnwire/src/acp/abilities.ts';
import { Outbox } from '../../turnwire/src/acp/outbox.ts';
import { ToolIds } from '../../turnwire/src/acp/tool-ids.ts';
import { SessionTurns } from '../../turnwire/src/acp/turns.ts';
import { UpdateMapper } from '../../turnwire/src/acp/updates.ts';
import { answer, call, calls, ScriptedModel } from '../agent/scripted-model.ts';

/** What an MCP server may ask in a call. */
const question = { mode: 'form', server: 'mine', message: 'Go on?', fields: [] } as const;

test.each([
  ['a permission', 'session/request_permission', { approval: { reason: 'it acts', rules: ['act'] } }],
  ['what an MCP server wants to know', 'elicitation/create', {}],
])('an editor that is slow to read knows the call before it is asked for %s', async (_, method, plan) => {
  const got: string[] = [];
  // The update of the call is not taken before the question is there.
  const asked = Promise.withResolvers<undefined>();
  const client = {
    notify: async (_method: string, { update }: { update: { sessionUpdate: string } }) => {
      if (update.sessionUpdate === 'tool_call') await asked.promise.then(nextTurn);
      got.push(update.sessionUpdate);
    },
    request: (method: string) => {
      got.push(method);
      return Promise.resolve({ action: 'accept', outcome: { outcome: 'selected', optionId: 'once' } });
    },
  } as unknown as AgentContext;
  const act: AgentTool = {
    name: 'act',
    description: 'Acts.',
    kind: 'other',
    parallel: true,
    parameters: {},
    plan: () =>
      Promise.resolve({
        title: 'act',
        ...plan,
        run: async ({ elicit, signal }) => {
          if (method === 'elicitation/create') await elicit?.(question, { signal });
          return { ok: true, output: 'acted' };
        },
      }),
  };
  const noting =
    <A extends unknown[], R>(ask: (...args: A) => R) =>
    (...args: A): R => {
      asked.resolve(undefined);
      return ask(...args);
    };
  const ask: Elicitor['ask'] = noting((request, options) => turns.elicit(request, options));
  const agent: Agent = new Agent({
    model: new ScriptedModel(calls(call('act', {})), answer('done')),
    tools: [act],
    approvals: 'ask',
    approver: noting((request, options) => turns.ask(request, options)),
    elicitor: { modes: ['form'], ask },
  });
  const ids = new ToolIds();
  const turns: SessionTurns = new SessionTurns({
    sessionId: 's',
    client,
    agent,
    ids,
    outbox: new Outbox({ client, sessionId: 's', gone: new AbortController().signal, clock: systemClock }),
    mapper: new UpdateMapper(ids, abilitiesOf(undefined)),
    prompts: [],
    begin: () => Promise.resolve(),
  });
  expect(await turns.prompt([{ type: 'text', text: 'go' }], new AbortController().signal)).toBe('end_turn');
  expect(got.filter((one) => one === 'tool_call' || one === method)).toEqual(['tool_call', method]);
});
