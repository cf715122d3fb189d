import { gzipSync } from 'node:zlib';
import { protocols } from '@turnwire/wire/internal/protocols';
import type { Step } from '../answer.ts';
import { everywhere, overHttp, type FaultSpec } from './fault.ts';
import { responsesFrame } from '../frames.ts';
import { count, word } from './args.ts';

/** Faults of HTTP around the answer, and headers that carry state. */
export const transportFaults: readonly FaultSpec[] = [
  {
    name: 'gzip',
    summary: 'The stream is compressed although nobody asked: reverse proxies that compress every text type.',
    wires: overHttp,
    create: () => ({
      head: (head) => {
        if (head.body === undefined) head.headers['content-encoding'] = 'gzip';
      },
      steps: zipped,
    }),
  },
  {
    name: 'redirect',
    args: '[CODE]',
    summary: 'A redirect to the same path with a query (default 307): http-to-https and trailing-slash rules.',
    wires: overHttp,
    create: (arg) => {
      const status = count('redirect', arg, 307);
      return {
        head: (head, { request, query }) => {
          if (query.includes('redirected')) return;
          head.status = status;
          head.headers.location = `/v1/${protocols[request.wire].path}?redirected=1`;
          head.body = '';
        },
      };
    },
  },
  {
    name: 'wrong-content-type',
    args: '[TYPE]',
    summary: 'A good stream with the content type text/plain, or TYPE: servers and proxies that set none.',
    wires: overHttp,
    create: (arg) => {
      const type = word('wrong-content-type', arg, 'text/plain');
      return {
        head: (head) => {
          if (head.body === undefined && !head.json) head.headers['content-type'] = type;
        },
      };
    },
  },
  {
    name: 'turn-state',
    args: 'VALUE[,VALUE…]',
    summary: 'x-codex-turn-state with the next of these values on each answer: sticky routing of the Codex backend.',
    wires: everywhere,
    create: (arg) => {
      const values = word('turn-state', arg).split(',');
      let n = 0;
      const next = (): string => values[Math.min(n++, values.length - 1)] ?? '';
      return {
        head: (head) => void (head.headers['x-codex-turn-state'] = next()),
        frames: (frames, { wire }) =>
          wire === 'websocket'
            ? [responsesFrame({ type: 'response.metadata', headers: { 'x-codex-turn-state': next() } }), ...frames]
            : frames,
      };
    },
  },
  {
    name: 'rate-limit-headers',
    summary: 'Rate limits, the serving model and the models tag in response headers: the Codex backend.',
    wires: overHttp,
    create: () => ({
      head: (head) => {
        Object.assign(head.headers, {
          'openai-model': 'scripted-2',
          'x-models-etag': 'etag-1',
          'x-codex-primary-used-percent': '12.5',
          'x-codex-primary-window-minutes': '300',
        });
      },
    }),
  },
];

/** Each write as a flushed part of one gzip stream would need a live stream; one member per write says the same. */
function zipped(steps: Step[]): Step[] {
  return steps.map((step) => (step.do === 'write' ? { ...step, data: gzipSync(step.data) } : step));
}
