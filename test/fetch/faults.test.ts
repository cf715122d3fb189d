import { describe, expect, it } from 'vitest';
import { listFaults, startMock } from '../../packages/testing/src/index.ts';
import { healing } from '../../packages/wire/src/fetch/index.ts';
import { clean, scripts } from '../mock/fault-row.ts';
import { clients, runCell, type Verdict } from './cell.ts';

/** Faults that need an argument to do anything, and one that has to be small here. */
const argumentsOf: Readonly<Record<string, string>> = {
  status: '503',
  'turn-state': 'abc',
  'param-refused': 'temperature',
  'endless-line': '20000000',
};

/** Every other fault lost nothing, and the SDK has the whole answer. */
const others: Readonly<Record<Exclude<Verdict, 'ok'>, readonly string[]>> = {
  // The answer was cut, refused, or never came, and the SDK throws.
  told: [
    ...['no-finish-close', 'empty-stream', 'endless-line', 'cut-after', 'cut-mid-event', 'reset-after', 'stall-after'],
    ...['length-mid-call', 'length', 'content-filter', 'finish-error', 'finish-spelling', 'choice-error'],
    ...['status', 'invalid-prompt', 'bad-json-request', 'usage-refused', 'context-wording', 'quota-wording'],
    ...['error-200', 'error-mid-stream', 'error-string-code', 'error-flat', 'base-resp'],
    ...['html-200', 'html-502', 'wrong-wire', 'refuse-connection', 'retry-after', 'rate-limit-text'],
  ],
  // What the model or the server garbled is handed on: a byte that is none, arguments that their tool has to refuse.
  silent: ['invalid-utf8', 'tool-args-invalid'],
  stalled: [],
};

describe('openai with healing, on every fault of the chat wire', () => {
  it('throws or has the whole answer', { timeout: 120_000 }, async () => {
    const verdicts: Record<Verdict, string[]> = { ok: [], told: [], silent: [], stalled: [] };
    for (const { name, wires } of listFaults()) {
      if (!wires.includes('chat')) continue;
      const argument = argumentsOf[name];
      const fault = argument === undefined ? name : `${name}:${argument}`;
      await using server = await startMock({ faults: [fault], scenario: scripts['tools']! });
      const fetch = healing({ idleTimeoutMs: 2000 });
      const { verdict } = await runCell(clients.chat, server, { clean: clean['tools']!, fetch, deadlineMs: 15_000 });
      verdicts[verdict].push(name);
    }
    const { ok, ...rest } = verdicts;
    for (const [verdict, names] of Object.entries(others))
      expect.soft(rest[verdict as keyof typeof rest].toSorted()).toEqual(names.toSorted());
    expect(ok.length).toBeGreaterThan(40);
  });
});
