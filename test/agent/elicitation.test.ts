import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, onTestFinished, test } from 'vitest';
import {
  Agent,
  connectMcpServers,
  type AgentEvent,
  type ElicitationAnswer,
  type ElicitationRequest,
  type Elicitor,
} from '../../packages/agent/src/index.ts';
import { toElicitation } from '../../packages/agent/src/mcp/elicitation-form.ts';
import { PatientClock } from '../../packages/agent/src/mcp/patient-clock.ts';
import { systemClock } from '../../packages/client/src/platform/system-clock.ts';
import type { Clock } from '../../packages/wire/src/base/clock.ts';
import { TestClock } from '../terminal/harness.ts';
import { eventsOf, of, temporaryFolder } from './helpers.ts';
import { answer, call, calls, ScriptedModel } from './scripted-model.ts';

const server = { name: 'test', command: process.execPath, args: [join(import.meta.dirname, 'mcp-server.ts')] };

interface Outcome {
  readonly events: readonly AgentEvent[];
  readonly outputs: readonly string[];
  readonly warnings: readonly string[];
  readonly asked: readonly ElicitationRequest[];
}

type Answering = (request: ElicitationRequest, agent: Agent, signal: AbortSignal) => Promise<ElicitationAnswer>;

/** One turn in which the model calls tools of the server, and a person who answers. */
async function turn(
  tools: readonly { readonly name: string; readonly args?: object }[],
  answering?: Answering,
  more: Partial<Pick<Elicitor, 'modes'>> & { readonly toolTimeoutMs?: number; readonly clock?: Clock } = {},
): Promise<Outcome> {
  const { modes = ['form', 'url'], clock = systemClock, ...config } = more;
  const connections = await connectMcpServers([{ ...server, ...config }], { cwd: await temporaryFolder(), clock });
  onTestFinished(() => connections.close());
  const asked: ElicitationRequest[] = [];
  const ask: Elicitor['ask'] = (request, { signal }) => {
    asked.push(request);
    return answering?.(request, agent, signal) ?? Promise.reject(new Error('nobody is there'));
  };
  const script = calls(...tools.map(({ name, args = {} }, at) => call(`mcp__test__${name}`, args, `call_${at}`)));
  const agent: Agent = new Agent({
    model: new ScriptedModel(script, answer('done')),
    tools: connections.tools,
    approvals: 'always',
    clock,
    ...(answering && { elicitor: { modes, ask } }),
  });
  const events = await eventsOf(agent.run('go'));
  const outputs = of(events, 'tool.finished').map(({ output }) => output);
  return { events, outputs, warnings: of(events, 'warning').map(({ message }) => message), asked };
}

test('what a server asks reaches the person with nothing hidden, and the answer goes back', async () => {
  const content = { name: 'Ann', age: 40, sure: false, size: 'm', tags: ['red'] };
  const { asked, outputs, events } = await turn([{ name: 'ask' }], () =>
    Promise.resolve({ action: 'accept', content }),
  );
  expect(asked).toEqual([
    {
      elicitationId: 'el_1',
      callId: 'call_0',
      mode: 'form',
      server: 'test',
      message: 'Who are\\u{202e} you?',
      fields: [
        {
          name: 'name',
          title: 'Your\\u{200b} name',
          description: 'As in the passport',
          isRequired: true,
          type: 'string',
          minLength: 2,
        },
        { name: 'age', title: 'age', isRequired: false, type: 'integer', minimum: 0, maximum: 150, default: 30 },
        { name: 'mail', title: 'mail', isRequired: false, type: 'string', format: 'email' },
        { name: 'sure', title: 'sure', isRequired: false, type: 'boolean', default: true },
        {
          name: 'size',
          title: 'size',
          isRequired: false,
          type: 'choice',
          choices: [
            { value: 's', title: 'small' },
            { value: 'm', title: 'medium' },
          ],
        },
        {
          name: 'tags',
          title: 'tags',
          isRequired: false,
          type: 'choices',
          choices: [
            { value: 'red', title: 'red' },
            { value: 'blue', title: 'blue' },
          ],
          maxItems: 1,
        },
      ],
    },
  ]);
  expect(outputs.map((output) => JSON.parse(output) as object)).toEqual([{ action: 'accept', content }]);
  const told = events.filter(({ type }) => type.startsWith('elicitation.'));
  expect(told).toEqual([
    {
      type: 'elicitation.requested',
      elicitation_id: 'el_1',
      call_id: 'call_0',
      mode: 'form',
      server: 'test',
      message: 'Who are\\u{202e} you?',
    },
    { type: 'elicitation.resolved', elicitation_id: 'el_1', call_id: 'call_0', action: 'accept' },
  ]);
});

const listed = { enum: ['a', 'b'] };

test.each<[object, unknown]>([
  [{ type: 'integer', default: 1.5 }, undefined],
  [{ type: 'integer', maximum: 2, default: 3 }, undefined],
  [{ type: 'integer', maximum: 2, default: 2 }, 2],
  [{ type: 'number', minimum: 1, default: 0.5 }, undefined],
  [{ type: 'number', default: 0.5 }, 0.5],
  [{ type: 'string', maxLength: 2, default: 'abc' }, undefined],
  [{ type: 'string', minLength: 3, default: 'abc' }, 'abc'],
  [{ type: 'string', ...listed, default: 'c' }, undefined],
  [{ type: 'string', ...listed, default: 'b' }, 'b'],
  [{ type: 'array', items: { type: 'string', ...listed }, default: ['a', 'c'] }, undefined],
  [{ type: 'array', items: { type: 'string', ...listed }, maxItems: 1, default: ['a', 'b'] }, undefined],
  [{ type: 'array', items: { type: 'string', ...listed }, default: ['b'] }, ['b']],
  [{ type: 'boolean', default: false }, false],
])('a default counts only where it is what the field may be: %j', (schema, expected) => {
  const params = ElicitRequestSchema.parse({
    method: 'elicitation/create',
    params: { message: 'm', requestedSchema: { type: 'object', properties: { x: schema } } },
  }).params;
  const { signal: completed } = new AbortController();
  const form = toElicitation('test', params, { completed, isRequired: false });
  expect(form.mode === 'form' && form.fields.map((field) => field.default)).toEqual([expected]);
});

test.each(['decline', 'cancel'] as const)('a person who says %s is heard', async (action) => {
  const { outputs, warnings } = await turn([{ name: 'confirm' }], () => Promise.resolve({ action }));
  expect([outputs, warnings]).toEqual([[action], []]);
});

test('where nobody can be asked, the server is told no and the person that it was', async () => {
  const { outputs, warnings } = await turn([{ name: 'confirm' }]);
  const why = 'nobody can be asked here (“Go on?”)';
  expect([outputs, warnings]).toEqual([['decline'], [`the MCP server test asks for something and is told no: ${why}`]]);
});

test('a person who cannot be asked in a way, or a front end that fails, is a no that is told', async () => {
  const url = 'https://example.test/';
  const yes = () => Promise.resolve({ action: 'accept' as const });
  const forms = await turn([{ name: 'open', args: { url } }], yes, { modes: ['form'] });
  expect([forms.outputs, forms.asked]).toEqual([['decline'], []]);
  expect(forms.warnings).toEqual([
    'the MCP server test asks for something and is told no: nobody can be asked here (“Sign in”)',
  ]);
  const broken = await turn([{ name: 'confirm' }], () => Promise.reject(new Error('no screen')));
  expect([broken.outputs, broken.warnings]).toEqual([
    ['decline'],
    ['the MCP server test asks for something and is told no: the question could not be asked'],
  ]);
});

test('an address is shown as it is, and its end is heard; one that is no page is refused', async () => {
  const completed = Promise.withResolvers<undefined>();
  const { asked, outputs } = await turn(
    [{ name: 'open', args: { url: 'https://exämple.test/a\u202eb' } }],
    (request) => {
      if (request.mode === 'url') request.completed.addEventListener('abort', () => completed.resolve(undefined));
      return Promise.resolve({ action: 'accept' });
    },
  );
  expect(asked).toMatchObject([{ mode: 'url', url: 'https://xn--exmple-cua.test/a%E2%80%AEb' }]);
  expect(outputs).toEqual(['accept']);
  await completed.promise;
  for (const url of ['file:///etc/passwd', 'javascript:alert(1)', 'https://bank.test@evil.test/']) {
    const { warnings, ...refused } = await turn([{ name: 'open', args: { url } }], () =>
      Promise.resolve({ action: 'accept' }),
    );
    expect([refused.asked, refused.outputs]).toEqual([[], ['decline']]);
    expect(warnings).toEqual([
      'the MCP server test asks for something and is told no: its address is none that may be opened',
    ]);
  }
});

test('a call that is refused until the person has been somewhere is made again once they say that they have', async () => {
  const urls = ['https://one.test/', 'https://two.test/'];
  const { asked, outputs, warnings } = await turn([{ name: 'sign_in_first', args: { urls } }], () =>
    Promise.resolve({ action: 'accept' }),
  );
  expect(asked).toMatchObject(
    urls.map((url) => ({ mode: 'url', isRequired: true, server: 'test', message: 'Sign in', url, callId: 'call_0' })),
  );
  expect([outputs, warnings]).toEqual([['refused 1 times before'], []]);
});

/** The SDK has its prefix twice: at the server, and here. */
const firstRefusal = 'mcp__test__sign_in_first failed: MCP error -32042: MCP error -32042: sign in first';

test('it is made again once only, and what it is refused with then is for the model', async () => {
  const args = { urls: ['https://one.test/'], times: 2 };
  const { asked, outputs } = await turn([{ name: 'sign_in_first', args }], () => Promise.resolve({ action: 'accept' }));
  expect([asked.length, outputs]).toEqual([1, [firstRefusal]]);
});

test.each(['decline', 'cancel'] as const)('it is not made again for a person who says %s', async (action) => {
  const urls = ['https://one.test/', 'https://two.test/'];
  const { asked, outputs } = await turn([{ name: 'sign_in_first', args: { urls } }], () => Promise.resolve({ action }));
  expect([asked.length, outputs]).toEqual([1, [firstRefusal]]);
});

test.each([
  ['that is none', ['javascript:alert(1)'], ['its address is none that may be opened']],
  ['that is no address', ['one'], []],
  ['too many', Array.from({ length: 17 }, (_, at) => `https://test.test/${at}`), []],
  ['none', [], []],
])('it is not made again for an address %s', async (_, urls, why) => {
  const yes = () => Promise.resolve({ action: 'accept' as const });
  const { asked, outputs, warnings } = await turn([{ name: 'sign_in_first', args: { urls } }], yes);
  expect([asked, outputs]).toEqual([[], [firstRefusal]]);
  expect(warnings).toEqual(why.map((text) => `the MCP server test asks for something and is told no: ${text}`));
});

test('where nobody can be asked, it stays refused and the person is told', async () => {
  const { outputs, warnings } = await turn([{ name: 'sign_in_first', args: { urls: ['https://one.test/'] } }]);
  const why = 'nobody can be asked here (“Sign in”)';
  expect([outputs, warnings]).toEqual([
    [firstRefusal],
    [`the MCP server test asks for something and is told no: ${why}`],
  ]);
});

test('the server itself may say that the person has been there: the question goes, and the call is made again', async () => {
  const watched = await temporaryFolder();
  const args = { urls: ['https://one.test/'], watched };
  const takenBack = Promise.withResolvers<undefined>();
  const { outputs, events } = await turn([{ name: 'sign_in_first', args }], async (_, __, signal) => {
    signal.addEventListener('abort', () => takenBack.resolve(undefined));
    await writeFile(join(watched, 'done'), '');
    return new Promise(() => undefined);
  });
  await takenBack.promise;
  expect(outputs).toEqual(['refused 1 times before']);
  expect(of(events, 'elicitation.resolved').map(({ action }) => action)).toEqual(['accept']);
});

test('an interrupt ends the wait for the person, and the call is not made again', async () => {
  const { events } = await turn([{ name: 'sign_in_first', args: { urls: ['https://one.test/'] } }], (_, agent) => {
    agent.interrupt();
    return new Promise(() => undefined);
  });
  expect(of(events, 'tool.finished').map(({ status }) => status)).toEqual(['interrupted']);
  expect(events.at(-1)?.type).toBe('turn.interrupted');
});

test('a server that pesters asks a bounded number of bounded questions, one at a time, and none outlives its call', async () => {
  let open = 0;
  const { asked, warnings, outputs, events } = await turn(
    [{ name: 'pester', args: { times: 20, fields: 1, answers: 12 } }],
    (_, __, signal) => {
      open += 1;
      expect(open).toBe(1);
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          open -= 1;
          reject(new Error('taken back'));
        });
      });
    },
  );
  expect(outputs).toEqual(['pestered']);
  const types = events.map(({ type }) => type);
  expect(types.lastIndexOf('elicitation.resolved')).toBeLessThan(types.indexOf('tool.finished'));
  expect(asked.map(({ message }) => message)).toEqual([`${'x'.repeat(4000)}… (5000 characters more)`]);
  expect([open, warnings]).toEqual([
    0,
    ['the MCP server test asks for something and is told no: 8 questions wait for an answer'],
  ]);
  const wide = await turn([{ name: 'pester', args: { times: 1, fields: 33, answers: 1 } }], () =>
    Promise.resolve({ action: 'accept' }),
  );
  expect([wide.asked, wide.warnings]).toEqual([
    [],
    ['the MCP server test asks for something and is told no: its form has more than 32 fields'],
  ]);
});

test('an interrupt takes the question back', async () => {
  const { events } = await turn([{ name: 'confirm' }], (_, agent) => {
    agent.interrupt();
    return new Promise(() => undefined);
  });
  expect(events.map(({ type }) => type).slice(-4)).toEqual([
    'elicitation.requested',
    'elicitation.resolved',
    'tool.finished',
    'turn.interrupted',
  ]);
  expect(of(events, 'elicitation.resolved').map(({ action }) => action)).toEqual(['cancel']);
});

test('the time in which a person thinks is neither the time of the call nor that of the tool', async () => {
  const clock = new TestClock();
  const late = (): Promise<ElicitationAnswer> => {
    clock.pass(100_000);
    return Promise.resolve({ action: 'accept' });
  };
  const { outputs, events } = await turn([{ name: 'confirm' }], late, { toolTimeoutMs: 60_000, clock });
  expect(outputs).toEqual(['accept']);
  const [finished] = of(events, 'tool.finished');
  expect(finished?.duration_ms).toBeLessThan(60_000);
});

test('a patient clock stands still while it is told to', async () => {
  const clock = new TestClock();
  const patient = new PatientClock(clock);
  const fired: string[] = [];
  patient.after(100_000, () => fired.push('first'));
  patient.after(200_000, () => fired.push('cancelled')).cancel();
  clock.pass(60_000);
  const [one, two] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const waits = [patient.during(() => one.promise), patient.during(() => two.promise)];
  patient.after(20_000, () => fired.push('second'));
  clock.pass(500_000);
  one.resolve(undefined);
  await waits[0];
  clock.pass(500_000);
  two.resolve(undefined);
  await waits[1];
  clock.pass(30_000);
  expect(fired).toEqual(['second']);
  clock.pass(10_000);
  expect(fired).toEqual(['second', 'first']);
});
