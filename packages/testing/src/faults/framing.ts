import { parseJson } from '@turnwire/wire/internal/base/json';
import type { Frame, Step } from '../answer.ts';
import { everywhere, overHttp, type FaultSpec, type FaultWire } from './fault.ts';
import { isDelta, messagesFrame, responsesFrame } from '../frames.ts';
import { count } from './args.ts';

const raw = (text: string): Frame => ({ kind: 'raw', text });

/** Faults of the byte stream around good events. */
export const framingFaults: readonly FaultSpec[] = [
  {
    name: 'crlf',
    summary: 'Lines end in CRLF: ASP.NET and several Java servers.',
    wires: overHttp,
    create: () => ({ text: (events) => events.map((text) => text.replaceAll('\n', '\r\n')) }),
  },
  {
    name: 'cr',
    summary:
      'Lines end in CR alone, which the SSE standard allows: the rarest of the three, seen in conformance suites.',
    wires: overHttp,
    create: () => ({ text: (events) => events.map((text) => text.replaceAll('\n', '\r')) }),
  },
  {
    name: 'bom',
    summary:
      'The stream begins with a byte order mark: servers that write through a UTF-8 encoder with preamble (.NET).',
    wires: overHttp,
    create: () => ({ text: (events) => events.map((text, i) => (i === 0 ? `\ufeff${text}` : text)) }),
  },
  {
    name: 'multi-line-data',
    summary: 'One payload over several data lines: servers that pretty-print their JSON.',
    wires: overHttp,
    create: () => ({ text: (events) => events.map(overLines) }),
  },
  {
    name: 'no-space',
    summary: 'No space after the colon of data: which the standard allows and several servers do.',
    wires: overHttp,
    create: () => ({ text: (events) => events.map((text) => text.replace(/^(event|data): /gm, '$1:')) }),
  },
  {
    name: 'extra-fields',
    summary: 'Events carry id: and retry: lines, and retry before data: servers built on generic SSE libraries.',
    wires: overHttp,
    create: () => ({ text: (events) => events.map((text, i) => `id: ${i}\nretry: 3000\n${text}`) }),
  },
  {
    name: 'no-event-lines',
    summary: 'Events without event: lines, the type in the payload alone: llama.cpp proxies, many gateways.',
    wires: ['responses', 'messages'],
    create: () => ({ text: (events) => events.map((text) => text.replace(/^event: .*\n/, '')) }),
  },
  {
    name: 'wrong-event-name',
    summary: 'Every event is named message, the type is in the payload alone: gateways that re-frame the stream.',
    wires: ['responses', 'messages'],
    create: () => ({ text: (events) => events.map((text) => text.replace(/^event: .*\n/, 'event: message\n')) }),
  },
  {
    name: 'comments',
    summary: 'Comments between the events: OpenRouter (": OPENROUTER PROCESSING") and load balancers.',
    wires: overHttp,
    create: () => ({ text: (events) => events.map((text) => `: PROCESSING\n\n${text}`) }),
  },
  {
    name: 'junk-lines',
    summary: 'Lines that are no JSON between the events: print statements of a worker that end up in its output.',
    wires: overHttp,
    create: () => ({
      text: (events) => events.map((text) => `data: INFO step done\n\nnoise\n\ndata: {"trunc\n\n${text}`),
    }),
  },
  {
    name: 'empty-data',
    summary: 'Empty data lines as keep-alive: gateways that ping with an empty event.',
    wires: overHttp,
    create: () => ({ text: (events) => events.map((text) => `data:\n\ndata: \n\n${text}`) }),
  },
  {
    name: 'heartbeat-events',
    summary: 'Data events of an unknown type as keep-alive: gateways that keep Codex alive (response.heartbeat).',
    wires: everywhere,
    create: () => ({
      frames: (frames, { wire }) => frames.flatMap((frame) => (isDelta(frame) ? [heartbeats[wire], frame] : [frame])),
    }),
  },
  {
    name: 'invalid-utf8',
    summary: 'A byte that is no UTF-8 inside a text: servers that cut tokens in the middle of a character.',
    wires: overHttp,
    lossy: true,
    create: () => ({ steps: (steps) => steps.map(breakUtf8()) }),
  },
  {
    name: 'one-byte-chunks',
    summary: 'Every byte is a chunk of its own: what TLS records and slow links make of any stream, at its worst.',
    wires: overHttp,
    create: () => ({ steps: (steps) => steps.flatMap((step) => cut(step, () => 1)) }),
  },
  {
    name: 'split-utf8',
    summary: 'Chunks end in the middle of characters: any network, whenever an answer has an umlaut.',
    wires: overHttp,
    create: () => ({ steps: (steps) => steps.flatMap((step) => cut(step, insideCharacter)) }),
  },
  {
    name: 'one-chunk',
    summary:
      'The whole stream arrives at once at its end: buffering reverse proxies (nginx without X-Accel-Buffering).',
    wires: overHttp,
    create: () => ({ steps: oneChunk }),
  },
  {
    name: 'giant-event',
    args: '[BYTES]',
    summary: 'One event of BYTES (default 1 MiB) among the others: servers that echo the prompt, or log probabilities.',
    wires: everywhere,
    create: (arg) => {
      const size = count('giant-event', arg, 1024 * 1024);
      return { frames: (frames) => padFirstDelta(frames, size) };
    },
  },
  {
    name: 'endless-line',
    args: '[BYTES]',
    summary: 'BYTES (default 32 MiB) without a line end before the answer: a server that streams a file by mistake.',
    wires: overHttp,
    lossy: true,
    create: (arg) => {
      const size = count('endless-line', arg, 32 * 1024 * 1024);
      return { steps: (steps) => [...filler(size), ...steps] };
    },
  },
  {
    name: 'truncated-json',
    summary: 'One payload is cut off in the middle, its event ends all the same: proxies that split long lines.',
    wires: overHttp,
    create: () => ({
      frames: (frames) => insertBeforeDelta(frames, raw('data: {"choices":[{"delta":{"content":"lo\n\n')),
    }),
  },
];

function overLines(text: string): string {
  return text.replace(/^data: (.*)$/m, (line, data: string) => {
    const value = parseJson(data);
    if (value === undefined) return line;
    return JSON.stringify(value, null, 1)
      .split('\n')
      .map((part) => `data: ${part}`)
      .join('\n');
  });
}

const heartbeats: Readonly<Record<FaultWire, Frame>> = {
  chat: { kind: 'json', event: '', value: { type: 'ping' } },
  responses: responsesFrame({ type: 'response.heartbeat' }),
  messages: messagesFrame({ type: 'heartbeat' }),
  websocket: responsesFrame({ type: 'response.heartbeat' }),
};

/** Breaks the first text delta: a lone continuation byte in front of its letters. */
function breakUtf8(): (step: Step) => Step {
  let broken = false;
  return (step) => {
    if (step.do !== 'write' || broken || typeof step.data !== 'string') return step;
    const at = /"(content|delta|text|thinking)":"[^"]/.exec(step.data);
    if (at === null) return step;
    broken = true;
    const cut = at.index + at[0].length - 1;
    const bytes = Buffer.concat([
      Buffer.from(step.data.slice(0, cut)),
      Buffer.from([0xbf]),
      Buffer.from(step.data.slice(cut)),
    ]);
    return { ...step, data: bytes };
  };
}

/** A write in pieces, with a turn of the event loop between them; the mark belongs to the last. */
function cut(step: Step, sizeAt: (bytes: Buffer, at: number) => number): Step[] {
  if (step.do !== 'write') return [step];
  const bytes = Buffer.from(step.data as string);
  const pieces: Step[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + sizeAt(bytes, at));
    pieces.push({ do: 'write', data: bytes.subarray(at, end), mark: end === bytes.length ? step.mark : undefined });
    pieces.push({ do: 'wait', ms: 0 });
    at = end;
  }
  return pieces;
}

/** To one byte after the start of the next character of several bytes. */
function insideCharacter(bytes: Buffer, at: number): number {
  for (let i = at + 1; i < bytes.length; i++) if ((bytes[i] ?? 0) >= 0xc0) return i + 1 - at;
  return bytes.length;
}

function oneChunk(steps: Step[]): Step[] {
  const writes = steps.filter((step) => step.do === 'write');
  const waits = steps.filter((step) => step.do === 'wait');
  const data = Buffer.concat(writes.map((step) => Buffer.from(step.data as string)));
  const mark = writes.findLast((step) => step.mark !== undefined)?.mark;
  return [...waits, { do: 'write', data, mark }, ...steps.filter((step) => step.do !== 'write' && step.do !== 'wait')];
}

function padFirstDelta(frames: Frame[], size: number): Frame[] {
  const at = frames.findIndex(isDelta);
  return frames.map((frame, i) =>
    i === at && frame.kind === 'json' ? { ...frame, value: { padding: 'x'.repeat(size), ...frame.value } } : frame,
  );
}

export function insertBeforeDelta(frames: Frame[], frame: Frame): Frame[] {
  const at = Math.max(0, frames.findIndex(isDelta));
  return [...frames.slice(0, at), frame, ...frames.slice(at)];
}

function filler(size: number): Step[] {
  const piece = Buffer.alloc(64 * 1024, 'x');
  const steps: Step[] = [{ do: 'write', data: 'data: ' }];
  for (let left = size; left > 0; left -= piece.length) {
    steps.push({ do: 'write', data: left < piece.length ? piece.subarray(0, left) : piece });
  }
  return [...steps, { do: 'write', data: '\n\n' }];
}
