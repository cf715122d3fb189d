import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectMcpServers } from '../../packages/agent/src/index.ts';
import type { ElicitationField } from '../../packages/agent/src/approval/elicitation.ts';
import { parseFieldAnswer } from '../../turnwire/src/terminal/field-answer.ts';
import { temporaryFolder } from '../agent/helpers.ts';
import { answer, call, calls } from '../agent/scripted-model.ts';
import { keys, startChat, type RunningChat } from './harness.ts';

/** Longer than keys are taken for none of an answer. */
const READ_MS = 500;
const args = [join(import.meta.dirname, '../agent/mcp-server.ts')];

/** A chat in which the model has called a tool of an MCP server, and the server asks. */
async function asked(tool: string, input: object = {}, readMs = READ_MS): Promise<RunningChat> {
  const config = { name: 'mine', command: process.execPath, args };
  const connections = await connectMcpServers([config], { cwd: await temporaryFolder() });
  onTestFinished(() => connections.close());
  const script = calls(call(`mcp__mine__${tool}`, input));
  const chat = await startChat([script, answer('Done.')], { tools: connections.tools, rows: 50, columns: 100 });
  chat.say('go');
  await chat.terminal.until('deny and say why');
  chat.clock.pass(READ_MS);
  chat.terminal.press('y');
  await chat.terminal.until('The MCP server mine asks');
  chat.clock.pass(readMs);
  return chat;
}

function outputOf({ model }: RunningChat): unknown {
  const items = model.requests.at(-1)?.input ?? [];
  return items
    .flatMap((item) => (item.type === 'function_call_output' && 'output' in item ? [item.output] : []))
    .at(-1);
}

/** The rows of the question, down to the status line. */
function question({ terminal }: RunningChat): string[] {
  const rows = terminal.screen();
  const from = rows.findIndex((row) => row.startsWith('? The MCP server'));
  return rows.slice(from, rows.indexOf('', from)).map((row) => row.trimEnd());
}

async function line(chat: RunningChat, text: string, until: string): Promise<void> {
  chat.clock.pass(READ_MS);
  chat.say(text);
  await chat.terminal.until(until);
}

describe('a question of an MCP server in the chat', () => {
  it.each([
    ['y', 'accept'],
    ['n', 'decline'],
    ['c', 'cancel'],
  ])('without fields has the key %s for %s', async (key, action) => {
    const chat = await asked('confirm');
    expect(question(chat)).toEqual([
      '? The MCP server mine asks: Go on?',
      '› y  yes',
      '  n  no',
      '  c  cancel: no decision',
    ]);
    expect(chat.terminal.screen().join('\n')).toContain('waiting for you');
    chat.terminal.press(key);
    await chat.idle();
    expect(outputOf(chat)).toBe(action);
  });

  it('takes a line for each field, says what does not fit, and shows all before it is sent', async () => {
    const chat = await asked('ask');
    expect(question(chat)[0]).toBe('? The MCP server mine asks: Who are\\u{202e} you?');
    chat.terminal.type('ab');
    await chat.terminal.until('send or clear your line first');
    chat.terminal.press('\x7f', '\x7f');
    await chat.terminal.until('answer it (6 lines)');
    chat.terminal.press('y');
    await chat.terminal.until('1 of 6');
    expect(question(chat)).toEqual([
      '? The MCP server mine asks: Who are\\u{202e} you?',
      '  │ Your\\u{200b} name',
      '  │ As in the passport',
      '1 of 6. Enter takes the line, Esc goes back.',
    ]);
    await line(chat, 'A', 'At least 2 characters.');
    await line(chat, 'Ann', 'age (may be empty; a whole number; empty: 30)');
    await line(chat, '1.5', 'That is no whole number.');
    await line(chat, '', 'mail (may be empty; email)');
    await line(chat, '', 'sure (may be empty; yes or no; empty: true)');
    await line(chat, 'no', 'size (may be empty; one of: small, medium)');
    await line(chat, 'Medium', 'tags (may be empty; any of, with commas between: red, blue)');
    await line(chat, 'red, blue', 'At most 1 of them.');
    await line(chat, 'blue', 'send this');
    expect(question(chat)).toEqual([
      '? The MCP server mine asks: Who are\\u{202e} you?',
      '  │ Your\\u{200b} name: Ann',
      '  │ age: 30',
      '  │ sure: false',
      '  │ size: m',
      '  │ tags: blue',
      '› y  send this',
      '  r  again',
      '  n  no',
      '  c  cancel: no decision',
    ]);
    chat.clock.pass(READ_MS);
    chat.terminal.press('y');
    await chat.idle();
    const content = { name: 'Ann', age: 30, sure: false, size: 'm', tags: ['blue'] };
    expect(JSON.parse(String(outputOf(chat)))).toEqual({ action: 'accept', content });
    // What was filled in is no message, and comes up as none.
    expect(chat.model.requests).toHaveLength(2);
  });

  it('goes back from a form with Esc, and can be refused then', async () => {
    const chat = await asked('ask');
    chat.terminal.press('y');
    await chat.terminal.until('1 of 6');
    await line(chat, 'Ann', '2 of 6');
    chat.terminal.press(keys.escape);
    await chat.terminal.until('answer it (6 lines)');
    chat.clock.pass(READ_MS);
    chat.terminal.press('n');
    await chat.idle();
    expect(JSON.parse(String(outputOf(chat)))).toEqual({ action: 'decline' });
  });

  it('takes no key that was pressed before it could be read', async () => {
    const chat = await asked('confirm', {}, 0);
    chat.terminal.press('n');
    chat.clock.pass(READ_MS);
    chat.terminal.press('y');
    await chat.idle();
    expect(outputOf(chat)).toBe('accept');
  });

  it('shows a whole address', async () => {
    const chat = await asked('open', { url: 'https://example.test/sign-in?a=b' });
    expect(question(chat)).toEqual([
      '? The MCP server mine asks: Sign in',
      '  │ https://example.test/sign-in?a=b',
      '› y  yes, I open it',
      '  n  no',
      '  c  cancel: no decision',
    ]);
    chat.terminal.press('y');
    await chat.idle();
    expect(outputOf(chat)).toBe('accept');
  });

  it('shows it below a message that would fill the screen', async () => {
    const message = ['Sign in at', 'https://bank.example/', ...Array.from({ length: 60 }, () => '.')].join('\n');
    const chat = await asked('open', { url: 'https://example.test/sign-in?a=b', message });
    const rows = question(chat);
    expect(rows.slice(0, 2)).toEqual(['? The MCP server mine asks: Sign in at', '  │ https://bank.example/']);
    expect(rows.slice(-5)).toEqual([
      '… 42 more lines than this terminal shows',
      '  │ https://example.test/sign-in?a=b',
      '› y  yes, I open it',
      '  n  no',
      '  c  cancel: no decision',
    ]);
  });

  it.each([
    ['y', 'refused 1 times before'],
    ['n', 'mcp__mine__sign_in_first failed: MCP error -32042: MCP error -32042: sign in first'],
  ])('shows the address that a call waits for, and %s to being done there ends in: %s', async (key, output) => {
    const chat = await asked('sign_in_first', { urls: ['https://example.test/sign-in?a=b'] });
    expect(question(chat)).toEqual([
      '? The MCP server mine asks: Sign in',
      '  │ https://example.test/sign-in?a=b',
      '› y  done there: call it again',
      '  n  no',
      '  c  cancel: no decision',
    ]);
    chat.terminal.press(key);
    await chat.idle();
    expect(outputOf(chat)).toBe(output);
  });

  it('goes with the turn, and gives the line back that it took the place of', async () => {
    const chat = await asked('ask');
    chat.terminal.press('y');
    await chat.terminal.until('1 of 6');
    chat.terminal.type('half a na');
    chat.app.interrupt();
    await chat.idle();
    expect(chat.terminal.screen().join('\n')).not.toContain('The MCP server mine asks');
    expect(chat.terminal.screen().join('\n')).not.toContain('half a na');
  });
});

const base = { name: 'x', title: 'x', isRequired: true };
const fields = {
  mail: { ...base, type: 'string', format: 'email' },
  page: { ...base, type: 'string', format: 'uri' },
  day: { ...base, type: 'string', format: 'date' },
  time: { ...base, type: 'string', format: 'date-time' },
  short: { ...base, type: 'string', maxLength: 2 },
  number: { ...base, type: 'number', minimum: 1, maximum: 2 },
  sure: { ...base, type: 'boolean' },
  one: {
    ...base,
    type: 'choice',
    choices: [
      { value: '2', title: '1' },
      { value: '1', title: 'two' },
    ],
  },
  some: {
    ...base,
    type: 'choices',
    minItems: 2,
    choices: [
      { value: 'a', title: 'A' },
      { value: 'b', title: 'B' },
      { value: 'x', title: 'C, D' },
    ],
  },
} as const satisfies Record<string, ElicitationField>;

it.each([
  ['mail', 'a@b.test', 'a@b.test'],
  ['mail', 'a b', 'That is no email.'],
  ['page', 'https://a.test', 'https://a.test'],
  ['page', 'a', 'That is no uri.'],
  ['day', '2026-02-28', '2026-02-28'],
  ['day', '2026-13-01', 'That is no date.'],
  ['time', '2026-02-28T10:00:00Z', '2026-02-28T10:00:00Z'],
  ['time', '10:00', 'That is no date-time.'],
  ['short', 'abc', 'At most 2 characters.'],
  ['number', '1.5', 1.5],
  ['number', '0', 'At least 1.'],
  ['number', '3', 'At most 2.'],
  ['number', 'x', 'That is no number.'],
  ['sure', 'Y', true],
  ['sure', 'perhaps', 'Yes or no.'],
  ['one', '1', '1'],
  ['one', 'TWO', '1'],
  ['one', '2', '2'],
  ['one', '3', 'That is none of them.'],
  ['some', 'a, c, d', ['a', 'x']],
  ['some', 'C, D,b', ['x', 'b']],
  ['some', 'd, a', 'Not all of that is among them.'],
  ['some', 'a, B', ['a', 'b']],
  ['some', 'a, a', 'At least 2 of them.'],
  ['some', 'a, c', 'Not all of that is among them.'],
  ['some', '', 'An answer is needed.'],
] as const)('the field %s takes the line %j as %j', (name, text, expected) => {
  const parsed = parseFieldAnswer(fields[name], text);
  expect(parsed.type === 'value' ? parsed.value : parsed.type === 'problem' && parsed.problem).toEqual(expected);
});
