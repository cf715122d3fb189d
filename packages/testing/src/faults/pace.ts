import type { Step } from '../answer.ts';
import { everywhere, overHttp, type FaultSpec } from './fault.ts';
import { count } from './args.ts';
import { firstTimes } from './errors.ts';

/** Faults of time, and of connections that break. */
export const paceFaults: readonly FaultSpec[] = [
  {
    name: 'slow-headers',
    args: 'MS',
    summary: 'The response head comes after MS: servers that queue, or load a model first.',
    wires: overHttp,
    create: (arg) => {
      const ms = count('slow-headers', arg, 1000);
      return { head: (head) => void (head.delayMs += ms) };
    },
  },
  {
    name: 'slow-first-byte',
    args: 'MS',
    summary: 'The head comes at once, the first event after MS: long prompts on any server.',
    wires: everywhere,
    create: (arg) => {
      const ms = count('slow-first-byte', arg, 1000);
      return { steps: (steps) => [{ do: 'wait', ms }, ...steps] };
    },
  },
  {
    name: 'drip',
    args: 'MS',
    summary: 'MS between two events: a slow model.',
    wires: everywhere,
    create: (arg) => {
      const ms = count('drip', arg, 20);
      return {
        steps: (steps) =>
          steps.flatMap((step, i) => (step.do === 'write' && i > 0 ? [{ do: 'wait', ms }, step] : [step])),
      };
    },
  },
  {
    name: 'keep-alive-comments',
    args: '[MS]',
    summary: 'Nothing but comments for MS (default 500) before the answer: gateways that wait for a cold model.',
    wires: overHttp,
    create: (arg) => {
      const rounds = Math.max(1, Math.ceil(count('keep-alive-comments', arg, 500) / 50));
      return { steps: (steps) => [...Array.from({ length: rounds }, comment).flat(), ...steps] };
    },
  },
  {
    name: 'stall-after',
    args: 'N',
    summary: 'Silence for ever after N events, the connection open: overloaded GPUs, lost upstreams behind proxies.',
    wires: everywhere,
    lossy: true,
    create: afterEvents('stall-after', { do: 'hold' }),
  },
  {
    name: 'reset-after',
    args: 'N',
    summary: 'The connection is reset after N events: load balancers at their time limit, crashed workers.',
    wires: everywhere,
    lossy: true,
    create: afterEvents('reset-after', { do: 'wait', ms: 20 }, { do: 'reset' }),
  },
  {
    name: 'cut-after',
    args: 'N',
    summary: 'The connection is closed without the end of the body after N events: killed workers, redeployments.',
    wires: overHttp,
    lossy: true,
    create: afterEvents('cut-after', { do: 'cut' }),
  },
  {
    name: 'cut-mid-event',
    summary: 'The body ends properly inside an event: proxies with a size limit.',
    wires: overHttp,
    lossy: true,
    create: () => ({ steps: cutMidEvent }),
  },
  {
    name: 'refuse-connection',
    args: '[TIMES]',
    summary: 'The connection is dropped before any answer, TIMES times or always: a server that restarts.',
    wires: overHttp,
    lossy: true,
    create: (arg) => {
      const due = firstTimes(count('refuse-connection', arg, Infinity));
      return {
        head: (head) => {
          if (due()) head.refuse = true;
        },
      };
    },
  },
];

function comment(): Step[] {
  return [
    { do: 'write', data: ': waiting\n\n' },
    { do: 'wait', ms: 50 },
  ];
}

/** The answer up to the N-th event (default 3), and then this. */
function afterEvents(name: string, ...then: Step[]): FaultSpec['create'] {
  return (arg) => {
    const n = count(name, arg, 3);
    return { steps: (steps) => [...firstWrites(steps, n), ...then] };
  };
}

/** The steps up to the N-th write. */
function firstWrites(steps: Step[], n: number): Step[] {
  let writes = 0;
  return steps.filter((step) => step.do !== 'end' && (step.do !== 'write' || ++writes <= n) && writes <= n);
}

/** Half of the last event that is a piece of the answer. */
function cutMidEvent(steps: Step[]): Step[] {
  const end = steps.findIndex((step) => step.do === 'write' && step.mark !== undefined);
  const last = steps[end - 1];
  if (last?.do !== 'write') return steps;
  return [
    ...steps.slice(0, end - 1),
    { ...last, data: last.data.slice(0, Math.floor(last.data.length / 2)) },
    { do: 'end' },
  ];
}
