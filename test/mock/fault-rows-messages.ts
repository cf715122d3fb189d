import { after, instead, TEXT, truncated, type Row } from './fault-row.ts';
import {
  checksType,
  fatalDecoder,
  firstEventLoop,
  giveUpAfter300,
  rawHttp,
  strictLines,
  wantsStreaming,
} from './naive.ts';
import {
  beginsAtStart,
  blocksAtTheEnd,
  failsAtErrors,
  knownDeltas,
  knownEvents,
  latestBlock,
  listOfBlocks,
  toTheEnd,
  trustsStopReason,
  wantsMessageStop,
  wantsSignature,
  wantsStopReason,
} from './naive-messages.ts';
import { chunkLoop, loop, nothing } from './outcome.ts';

const late = { provider: { firstByteTimeoutMs: 300 }, ours: { ...nothing(), end: 'error:stream_idle' } } as const;

/** Faults of the Messages wire: its own, and what those of any wire do to its clients. */
export const messagesRows: readonly Row[] = (
  [
    // ending
    { fault: 'finish-then-hold', naive: loop },
    { fault: 'done-then-hold', naive: toTheEnd },
    { fault: 'comment-only-life', naive: loop },
    { fault: 'no-sentinel', naive: wantsMessageStop },
    { fault: 'no-finish-close', naive: loop, ours: truncated },
    { fault: 'no-finish-done', naive: wantsStopReason, ours: { usage: undefined } },
    { fault: 'no-last-blank-line', naive: loop },
    { fault: 'late-error', naive: failsAtErrors },
    { fault: 'slow-close:3000', naive: toTheEnd },
    { fault: 'empty-stream', naive: loop, ours: instead('stream_truncated') },
    { fault: 'think-tags', script: 'reasoning', naive: loop, provider: { thinkTags: true }, ours: { usage: 9 } },
    { fault: 'wrong-wire', naive: loop, ours: instead('protocol') },
    // framing
    { fault: 'crlf', naive: loop },
    { fault: 'cr', naive: loop },
    { fault: 'bom', naive: firstEventLoop },
    { fault: 'multi-line-data', naive: loop },
    { fault: 'no-space', naive: loop },
    { fault: 'extra-fields', naive: strictLines },
    { fault: 'no-event-lines', naive: loop },
    { fault: 'wrong-event-name', naive: loop },
    { fault: 'comments', naive: strictLines },
    { fault: 'junk-lines', naive: loop },
    { fault: 'empty-data', naive: loop },
    { fault: 'heartbeat-events', naive: knownEvents },
    { fault: 'invalid-utf8', naive: fatalDecoder, ours: { text: `\ufffd${TEXT}` } },
    { fault: 'one-byte-chunks', naive: chunkLoop },
    { fault: 'split-utf8', naive: chunkLoop },
    { fault: 'one-chunk', naive: wantsStreaming },
    { fault: 'giant-event:300000', naive: chunkLoop },
    { fault: 'endless-line:3000000', naive: loop, provider: { maxEventBytes: 1_000_000 }, ours: instead('protocol') },
    { fault: 'truncated-json', naive: loop },
    // calls
    { fault: 'stop-with-tools', script: 'tools', naive: trustsStopReason },
    // errors
    { fault: 'status:503', naive: loop, ours: instead('server_overloaded') },
    { fault: 'retry-after:1', naive: loop, ours: instead('rate_limited') },
    { fault: 'rate-limit-text', naive: loop, ours: instead('rate_limited') },
    { fault: 'invalid-prompt', naive: loop, ours: instead('invalid_request') },
    { fault: 'bad-json-request', naive: loop, ours: instead('invalid_request') },
    { fault: 'error-200', naive: loop, ours: instead('server_error') },
    ...['object', 'string', 'status', 'event', 'flat'].map((shape) => ({
      fault: `error-mid-stream:${shape}`,
      naive: loop,
      ours: after('server_error'),
    })),
    { fault: 'error-string-code:401', naive: loop, ours: after('unauthorized') },
    { fault: 'context-wording:anthropic', naive: loop, ours: instead('context_window_exceeded') },
    { fault: 'quota-wording:anthropic', naive: loop, ours: instead('quota_exceeded') },
    { fault: 'content-filter', naive: loop, ours: after('content_filter') },
    { fault: 'html-200', naive: loop, ours: instead('protocol') },
    { fault: 'html-502', naive: loop, ours: instead('server_error') },
    { fault: 'json-instead-of-sse', script: 'tools', naive: loop },
    // blocks
    { fault: 'no-message-start', naive: beginsAtStart },
    { fault: 'no-block-stop', script: 'tools', naive: listOfBlocks },
    { fault: 'blocks-overlap', script: 'tools', naive: latestBlock },
    { fault: 'block-index-reused', script: 'tools', naive: blocksAtTheEnd },
    { fault: 'block-index-gaps', script: 'tools', naive: listOfBlocks },
    { fault: 'input-in-start', script: 'tools', naive: loop },
    { fault: 'text-in-start', naive: loop },
    { fault: 'unsigned-thinking', script: 'reasoning', naive: wantsSignature },
    { fault: 'signature-late', script: 'reasoning', naive: wantsSignature },
    { fault: 'stop-reason-null', naive: wantsStopReason },
    { fault: 'usage-missing', naive: loop, ours: { usage: undefined } },
    { fault: 'unknown-deltas', naive: knownDeltas },
    // pace
    { fault: 'slow-headers:2000', naive: loop, ...late },
    { fault: 'slow-first-byte:2000', naive: loop, ...late },
    { fault: 'drip:150', naive: giveUpAfter300, provider: { totalTimeoutMs: 0 } },
    { fault: 'keep-alive-comments:300', naive: strictLines },
    {
      fault: 'stall-after:5',
      naive: loop,
      provider: { streamIdleTimeoutMs: 200 },
      ours: { end: 'error:stream_idle', text: 'Grüße 👋', usage: undefined },
    },
    { fault: 'reset-after:5', naive: loop, ours: { ...truncated, text: 'Grüße 👋' } },
    { fault: 'cut-after:5', naive: loop, ours: { ...truncated, text: 'Grüße 👋' } },
    // The cut is in the content_block_stop.
    { fault: 'cut-mid-event', naive: loop, ours: truncated },
    { fault: 'refuse-connection', naive: loop, ours: instead('connection_failed') },
    // transport
    { fault: 'gzip', naive: rawHttp },
    { fault: 'redirect', naive: rawHttp },
    { fault: 'wrong-content-type', naive: checksType },
  ] satisfies Omit<Row, 'on'>[]
).map((row) => ({ ...row, on: 'messages' }));
