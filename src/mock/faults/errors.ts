import type { Head } from '../answer.ts';
import { MockUsageError } from '../errors.ts';
import type { FaultSpec } from '../fault.ts';
import { count } from './args.ts';

/** Faults that answer with something else than the scripted reply. */
export const errorFaults: readonly FaultSpec[] = [
  {
    name: 'status',
    args: 'CODE[:TIMES]',
    summary:
      'The request is answered with this HTTP status, the first TIMES times or always: any overloaded or misconfigured server.',
    wires: ['chat', 'responses'],
    create: (arg) => {
      const [code, times] = (arg ?? '').split(':');
      const status = count('status', code);
      if (status < 200 || status > 599) throw new MockUsageError(`fault status:${status}: not an HTTP status`);
      let left = times === undefined ? Infinity : count('status', times);
      return { head: (head) => (left-- > 0 ? refuse(head, status) : undefined) };
    },
  },
  {
    name: 'invalid-prompt',
    summary:
      'HTTP 400 with the code invalid_prompt: a prompt that the policy of the API refuses, which no retry mends.',
    wires: ['chat', 'responses'],
    create: () => ({
      head: (head) => {
        const message = 'Invalid prompt: your prompt was flagged as potentially violating our usage policy.';
        refuse(head, 400, { message, type: 'invalid_request_error', param: null, code: 'invalid_prompt' });
      },
    }),
  },
];

/** Makes the answer an error body. */
export function refuse(head: Head, status: number, error?: Readonly<Record<string, unknown>>): void {
  head.status = status;
  head.headers['content-type'] = 'application/json';
  head.body = JSON.stringify({
    error: error ?? {
      message: `the mock answers ${status}`,
      type: status >= 500 ? 'server_error' : 'invalid_request_error',
    },
  });
}
