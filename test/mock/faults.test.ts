import { afterAll, describe, expect, it } from 'vitest';
import { listFaults, startMock } from '../../packages/testing/src/index.ts';
import { seenUnpaid } from '../../packages/wire/src/dialects/seen/money.ts';
import { protocolIds } from '../../packages/wire/src/protocols.ts';
import { after, clean, halfWritten, instead, scripts, TEXT, truncated, type Row } from './fault-row.ts';
import { messagesRows } from './fault-rows-messages.ts';
import {
  addsBothFields,
  believesDone,
  byItemId,
  cachedTokens,
  callsByCallId,
  checksType,
  concatenates,
  fatalDecoder,
  firstChoice,
  firstEventLoop,
  giveUpAfter600,
  itemTexts,
  lastCallLoop,
  lastNameWins,
  loopThatBelievesTheLast,
  loopWithIds,
  newCallPerId,
  oneCallPerId,
  opensThenFills,
  parseAll,
  parsesArguments,
  wantsStreaming,
  rawHttp,
  reasoningItems,
  stopsAtAnyFinish,
  stopsAtFinish,
  strictLines,
  strictLoop,
  trustsFinish,
  usageInItsOwnChunk,
  waitsForUsage,
} from './naive.ts';
import { chunkLoop, loop, nothing, observed, PATIENT, ours, sdk } from './outcome.ts';

/** Bytes in single chunks take their time on a busy machine. */
const patient = { usageGraceMs: 10_000 };

const rows: Row[] = [
  // ending
  { fault: 'finish-then-hold', naive: sdk, ours: { usage: undefined } },
  { fault: 'finish-then-hold', on: 'responses', naive: loop },
  { fault: 'done-then-hold', on: 'responses', naive: loop },
  { fault: 'comment-only-life', naive: sdk, ours: { usage: undefined } },
  { fault: 'comment-only-life', on: 'responses', naive: loop },
  { fault: 'bare-done', naive: loop, ours: { usage: undefined } },
  { fault: 'bare-done', script: 'tools', naive: sdk, ours: { usage: undefined } },
  { fault: 'bare-done-hold', naive: sdk, ours: { usage: undefined } },
  { fault: 'no-sentinel', naive: strictLoop },
  { fault: 'no-finish-close', naive: loop, ours: truncated },
  { fault: 'no-finish-close', on: 'responses', naive: loop, ours: truncated },
  { fault: 'no-finish-done', naive: sdk, ours: { usage: undefined } },
  { fault: 'no-last-blank-line', script: 'tools', on: 'responses', naive: loop },
  { fault: 'late-error', naive: sdk },
  { fault: 'late-error', on: 'responses', naive: loopThatBelievesTheLast },
  { fault: 'late-delta', naive: loop },
  { fault: 'sentinel-on-responses', on: 'responses', naive: parseAll },
  { fault: 'slow-close:3000', on: 'responses', naive: loop },
  { fault: 'empty-stream', naive: loop, ours: instead('stream_truncated') },
  // framing
  { fault: 'crlf', naive: loop },
  { fault: 'cr', naive: loop },
  { fault: 'bom', on: 'responses', naive: firstEventLoop },
  { fault: 'multi-line-data', naive: loop },
  { fault: 'no-space', naive: loop },
  { fault: 'extra-fields', naive: strictLines },
  { fault: 'no-event-lines', on: 'responses', naive: loop },
  { fault: 'wrong-event-name', on: 'responses', naive: loop },
  { fault: 'comments', naive: strictLines },
  { fault: 'junk-lines', naive: loop },
  { fault: 'empty-data', naive: sdk },
  { fault: 'heartbeat-events', naive: sdk },
  { fault: 'heartbeat-events', on: 'responses', naive: sdk },
  { fault: 'invalid-utf8', naive: fatalDecoder, ours: { text: `\ufffd${TEXT}` } },
  { fault: 'one-byte-chunks', naive: chunkLoop, provider: patient },
  { fault: 'split-utf8', naive: chunkLoop, provider: patient },
  { fault: 'one-chunk', naive: wantsStreaming },
  { fault: 'giant-event:300000', naive: chunkLoop },
  { fault: 'endless-line:3000000', naive: loop, provider: { maxEventBytes: 1_000_000 }, ours: instead('protocol') },
  { fault: 'truncated-json', naive: loop },
  // tools
  { fault: 'tool-index-missing', script: 'tools', naive: sdk },
  { fault: 'tool-index-reused', script: 'tools', naive: sdk },
  { fault: 'tool-id-late', script: 'tools', naive: loopWithIds },
  { fault: 'tool-id-missing', script: 'tools', naive: loopWithIds },
  { fault: 'tool-id-repeated', script: 'tools', naive: newCallPerId },
  { fault: 'tool-name-empty', script: 'tools', naive: lastNameWins },
  { fault: 'tool-args-object', script: 'tools', naive: loop },
  { fault: 'tool-args-invalid', script: 'tools', naive: parsesArguments, ours: halfWritten },
  { fault: 'tool-args-invalid', on: 'responses', script: 'tools', naive: parsesArguments, ours: halfWritten },
  { fault: 'tool-whole', script: 'tools', naive: opensThenFills },
  { fault: 'tool-interleaved', script: 'tools', naive: lastCallLoop },
  { fault: 'content-parts', naive: loop },
  { fault: 'message-not-delta', naive: loop },
  { fault: 'stop-with-tools', script: 'tools', naive: trustsFinish, provider: { toolCallsOnStop: 'promote' } },
  { fault: 'finish-tool-use', script: 'tools', naive: trustsFinish },
  { fault: 'finish-empty', naive: stopsAtAnyFinish },
  { fault: 'finish-per-choice', script: 'tools', naive: loop },
  {
    fault: 'length-mid-call',
    script: 'tools',
    naive: loop,
    ours: { end: 'error:incomplete', calls: [], usage: undefined },
  },
  {
    fault: 'length-mid-call',
    script: 'tools',
    naive: loop,
    provider: { maxOutputTokens: 50 },
    ours: { end: 'error:incomplete', calls: [], usage: undefined },
  },
  { fault: 'empty-choices', naive: firstChoice },
  { fault: 'null-content', naive: concatenates },
  // reasoning
  { fault: 'reasoning-shape:reasoning', script: 'reasoning', naive: loop },
  { fault: 'reasoning-shape:reasoning-text', script: 'reasoning', naive: loop },
  { fault: 'reasoning-shape:reasoning-content', script: 'reasoning', naive: loop },
  { fault: 'reasoning-shape:details', script: 'reasoning', naive: loop },
  { fault: 'reasoning-shape:summary', script: 'reasoning', naive: loop },
  { fault: 'reasoning-shape:thinking-blocks', script: 'reasoning', naive: loop },
  { fault: 'reasoning-shape:thinking', script: 'reasoning', naive: loop },
  { fault: 'reasoning-shape:both', script: 'reasoning', naive: addsBothFields },
  // usage
  { fault: 'usage-late:120', naive: stopsAtFinish, provider: patient },
  { fault: 'usage-never', naive: waitsForUsage, ours: { usage: undefined } },
  { fault: 'usage-on-finish', naive: usageInItsOwnChunk },
  { fault: 'usage-in-choice', naive: loop },
  { fault: 'usage-every-chunk', naive: loop },
  { fault: 'usage-zeros', naive: loop, ours: { usage: undefined } },
  { fault: 'usage-refused', naive: loop, ours: { usage: undefined } },
  // errors
  { fault: 'status:503', naive: loop, ours: instead('server_overloaded') },
  { fault: 'status:401', on: 'responses', naive: sdk, ours: instead('unauthorized') },
  { fault: 'retry-after:1', naive: loop, ours: instead('rate_limited') },
  { fault: 'rate-limit-text', naive: loop, ours: instead('rate_limited') },
  { fault: 'invalid-prompt', on: 'responses', naive: loop, ours: instead('invalid_request') },
  { fault: 'bad-json-request', naive: loop, ours: instead('invalid_request') },
  { fault: 'error-200', naive: loop, ours: instead('server_error') },
  ...['object', 'string', 'event'].map((shape): Row => ({
    fault: `error-mid-stream:${shape}`,
    naive: loop,
    ours: after('server_error'),
  })),
  { fault: 'error-mid-stream:timeout', naive: loop, ours: after('timeout') },
  { fault: 'error-mid-stream:timeout', on: 'responses', naive: loop, ours: after('timeout') },
  { fault: 'error-mid-stream:status', naive: loop, ours: after('server_error') },
  ...['object', 'string', 'flat', 'status'].map((shape): Row => ({
    fault: `error-mid-stream:${shape}`,
    on: 'responses',
    naive: loop,
    ours: after('server_error'),
  })),
  { fault: 'finish-error', naive: loop, ours: after('server_error') },
  { fault: 'length', naive: loop, ours: after('incomplete') },
  { fault: 'length', naive: loop, provider: { maxOutputTokens: 9 }, ours: after('incomplete') },
  { fault: 'content-filter', naive: loop, ours: after('content_filter') },
  { fault: 'content-filter', on: 'responses', naive: loop, ours: after('content_filter') },
  { fault: 'response-failed:rate_limit_exceeded', on: 'responses', naive: loop, ours: after('rate_limited') },
  {
    fault: 'response-failed:context_length_exceeded',
    on: 'responses',
    naive: loop,
    ours: after('context_window_exceeded'),
  },
  { fault: 'failed-then-hold', on: 'responses', naive: loop, ours: after('server_error') },
  { fault: 'incomplete', on: 'responses', naive: loop, ours: after('incomplete') },
  { fault: 'html-200', naive: loop, ours: instead('protocol') },
  { fault: 'html-502', naive: loop, ours: instead('server_error') },
  { fault: 'json-instead-of-sse', naive: loop },
  { fault: 'json-instead-of-sse', on: 'responses', script: 'tools', naive: loop },
  // the Responses sequence
  { fault: 'final-only', on: 'responses', naive: sdk },
  { fault: 'only-completed', on: 'responses', naive: loop },
  { fault: 'output-empty', on: 'responses', naive: sdk },
  { fault: 'no-item-done', on: 'responses', script: 'tools', naive: loop },
  { fault: 'duplicate-final', on: 'responses', script: 'tools', naive: loop },
  { fault: 'out-of-order', on: 'responses', naive: sdk },
  { fault: 'delta-without-added', on: 'responses', naive: sdk },
  { fault: 'no-item-ids', on: 'responses', naive: byItemId },
  { fault: 'fresh-item-ids', on: 'responses', naive: byItemId },
  { fault: 'no-created', on: 'responses', naive: sdk },
  { fault: 'no-indexes', on: 'responses', naive: sdk },
  { fault: 'completed-bare', on: 'responses', naive: sdk, ours: { usage: undefined } },
  { fault: 'null-details', on: 'responses', naive: cachedTokens },
  { fault: 'usage-without-total', on: 'responses', naive: loop },
  { fault: 'unknown-events', on: 'responses', naive: sdk },
  { fault: 'malformed-item', on: 'responses', naive: itemTexts },
  // pace
  {
    fault: 'slow-headers:2000',
    naive: loop,
    provider: { firstByteTimeoutMs: 300 },
    ours: { ...nothing(), end: 'error:stream_idle' },
  },
  {
    fault: 'slow-first-byte:2000',
    naive: loop,
    provider: { firstByteTimeoutMs: 300 },
    ours: { ...nothing(), end: 'error:stream_idle' },
  },
  { fault: 'drip:150', naive: giveUpAfter600, provider: patient },
  { fault: 'keep-alive-comments:300', naive: strictLines },
  {
    fault: 'stall-after:3',
    naive: sdk,
    provider: { streamIdleTimeoutMs: 200 },
    ours: { end: 'error:stream_idle', text: 'Grüße 👋', usage: undefined },
  },
  { fault: 'reset-after:3', naive: loop, ours: { ...truncated, text: 'Grüße 👋' } },
  { fault: 'cut-after:3', on: 'chat', naive: loop, ours: { ...truncated, text: 'Grüße 👋' } },
  { fault: 'cut-mid-event', naive: loop, ours: { ...truncated, text: 'Grüße 👋 from' } },
  { fault: 'refuse-connection', naive: loop, ours: instead('connection_failed') },
  // dialects
  { fault: 'finish-spelling:MAX_TOKENS', naive: loop, ours: after('incomplete') },
  { fault: 'finish-spelling:network_error', naive: loop, ours: after('server_error') },
  { fault: 'tool-id-changes', script: 'tools', naive: newCallPerId },
  { fault: 'tool-id-changes:named', script: 'tools', naive: newCallPerId },
  { fault: 'tool-id-shared', script: 'tools', naive: oneCallPerId },
  { fault: 'tool-id-shared', on: 'responses', script: 'tools', naive: callsByCallId },
  { fault: 'tool-index-late', script: 'tools', naive: sdk },
  { fault: 'tool-index-stray', script: 'tools', naive: loop },
  { fault: 'tool-args-doubled', script: 'tools', naive: loop },
  { fault: 'choice-error', naive: loop, ours: after('server_error') },
  ...['flat', 'errors', 'success', 'object', 'type', 'detail'].flatMap((shape): Row[] =>
    (['chat', 'responses'] as const).map((on) => ({
      fault: `error-flat:${shape}`,
      on,
      naive: loop,
      ours: after('server_error'),
    })),
  ),
  { fault: 'base-resp', naive: loop, ours: after('server_error') },
  { fault: 'base-resp', on: 'responses', naive: loop, ours: after('server_error') },
  { fault: 'mistral-thinking', script: 'reasoning', naive: loop },
  ...['think', 'mm:think'].map((tag): Row => ({
    fault: `think-tags:${tag}`,
    script: 'reasoning',
    naive: loop,
    provider: { thinkTags: true },
    ours: { usage: 9 },
  })),
  // Tags are tokens, too.
  {
    fault: 'think-tags:opened',
    script: 'reasoning',
    naive: loop,
    provider: { thinkTags: 'opened' },
    ours: { usage: 8 },
  },
  {
    fault: 'think-tags',
    on: 'responses',
    script: 'reasoning',
    naive: loop,
    provider: { thinkTags: true },
    ours: { usage: 9 },
  },
  { fault: 'usage-names:anthropic', naive: loop },
  { fault: 'usage-names:groq', naive: loop },
  { fault: 'usage-names', on: 'responses', naive: cachedTokens },
  { fault: 'wrong-wire', naive: loop, ours: instead('protocol') },
  { fault: 'wrong-wire', on: 'responses', naive: loop, ours: instead('protocol') },
  { fault: 'wrong-wire:messages', naive: loop, ours: instead('protocol') },
  { fault: 'wrong-wire:ollama', on: 'responses', naive: loop, ours: instead('protocol') },
  { fault: 'done-empty', on: 'responses', naive: believesDone },
  { fault: 'args-done-empty', on: 'responses', script: 'tools', naive: loop },
  { fault: 'completed-incomplete', on: 'responses', naive: loop, ours: { end: 'error:incomplete', usage: undefined } },
  { fault: 'completed-failed', on: 'responses', naive: loop, ours: after('server_error') },
  { fault: 'response-done', on: 'responses', naive: loop },
  { fault: 'response-cancelled', on: 'responses', naive: loop, ours: after('incomplete') },
  { fault: 'type-in-event-line', on: 'responses', naive: sdk },
  { fault: 'response-error', on: 'responses', naive: loop, ours: after('server_error') },
  { fault: 'reasoning-item', on: 'responses', script: 'reasoning', naive: reasoningItems },
  { fault: 'reasoning-item:event', on: 'responses', script: 'reasoning', naive: loop },
  { fault: 'usage-beside', on: 'responses', naive: loop },
  { fault: 'tool-id-missing', on: 'responses', script: 'tools', naive: callsByCallId },
  { fault: 'tool-args-object', on: 'responses', script: 'tools', naive: loop },
  { fault: 'beside-text:references', naive: loop },
  ...Object.keys(seenUnpaid).map((server): Row => ({
    fault: `quota-wording:${server}`,
    naive: loop,
    ours: instead('quota_exceeded'),
  })),
  { fault: 'quota-wording:dashscope', on: 'responses', naive: loop, ours: instead('quota_exceeded') },
  { fault: 'context-wording:ollama', naive: loop, ours: instead('context_window_exceeded') },
  { fault: 'context-wording:anthropic', on: 'responses', naive: loop, ours: instead('context_window_exceeded') },
  { fault: 'error-string-code:401', naive: loop, ours: after('unauthorized') },
  { fault: 'error-string-code:401', on: 'responses', naive: loop, ours: after('unauthorized') },
  // transport
  { fault: 'gzip', naive: rawHttp },
  { fault: 'redirect', naive: rawHttp },
  { fault: 'wrong-content-type', naive: checksType },
  ...messagesRows,
];

describe.concurrent('each fault: a naive client fails, ours does not', () => {
  it.each(rows.map((row) => ({ name: `${row.fault} on ${row.on ?? 'chat'}`, row })))('$name', async ({ row }) => {
    const wire = row.on ?? 'chat';
    const script = row.script ?? 'text';
    const expected = { ...clean[script]!, ...row.ours };
    await using good = await startMock({ wire, scenario: scripts[script]!, paceMs: 1 });
    expect(await observed(row.naive, good.baseUrl, wire, PATIENT)).toEqual(clean[script]); // it is the fault that it stumbles over
    await using naiveServer = await startMock({ wire, scenario: scripts[script]!, faults: [row.fault] });
    expect(await observed(row.naive, naiveServer.baseUrl, wire)).not.toEqual(expected);
    await using server = await startMock({ wire, scenario: scripts[script]!, faults: [row.fault] });
    expect(await ours(server.baseUrl, wire, row.provider)).toEqual(expected);
  });
});

describe('without a fault', () => {
  it.each(
    protocolIds.flatMap((wire) =>
      Object.keys(scripts).map((script) => ({ wire, script, name: `${script} on ${wire}` })),
    ),
  )('$name: every client reads the same', async ({ wire, script }) => {
    await using server = await startMock({ wire, scenario: scripts[script]! });
    // The openai package keeps only the last piece of a field that it does not know, and knows no Messages.
    const naives = wire === 'messages' || (wire === 'chat' && script === 'reasoning') ? [loop] : [loop, sdk];
    for (const naive of naives) expect(await observed(naive, server.baseUrl, wire, PATIENT)).toEqual(clean[script]);
    expect(await ours(server.baseUrl, wire)).toEqual(clean[script]);
  });
});

afterAll(() => {
  const tested = new Set(rows.map((row) => row.fault.split(':')[0]));
  // No failure of a plain client to show: see headers.test.ts, and heals.test.ts and carried-state.test.ts of the bridge.
  const elsewhere = new Set([
    'turn-state',
    'rate-limit-headers',
    'thought-signature',
    'call-ids-checked',
    'reasoning-wanted',
    'value-refused',
    'system-between-turns',
    'param-refused',
    'image-refused',
  ]);
  const missing = listFaults().filter(
    ({ name, wires }) => wires.some((wire) => wire !== 'websocket') && !tested.has(name) && !elsewhere.has(name),
  );
  const onMessages = new Set(messagesRows.map((row) => row.fault.split(':')[0]));
  const missingOnMessages = listFaults().filter(
    ({ name, wires }) => wires.includes('messages') && !onMessages.has(name) && !elsewhere.has(name),
  );
  expect([missing, missingOnMessages].map((faults) => faults.map(({ name }) => name))).toEqual([[], []]);
});
