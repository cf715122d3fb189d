import { seenFullContexts } from '@turnwire/wire/internal/dialects/seen/full-context';
import { seenUnpaid } from '@turnwire/wire/internal/dialects/seen/money';
import { oneOf } from './args.ts';
import { overHttp, type FaultSpec } from './fault.ts';
import { refuse } from './refuse.ts';

const fullContexts = Object.keys(seenFullContexts) as readonly (keyof typeof seenFullContexts)[];
const unpaid = Object.keys(seenUnpaid) as readonly (keyof typeof seenUnpaid)[];

/** Refusals in the words of their servers: those that the rows of the decoders' tables were made for. */
export const wordingFaults: readonly FaultSpec[] = [
  {
    name: 'context-wording',
    args: '[SERVER]',
    choices: fullContexts,
    summary:
      'HTTP 400 that tells a full context in the words of SERVER (default vllm), with no code for it: nearly all of them.',
    wires: overHttp,
    lossy: true,
    create: (arg) => {
      const server = oneOf('context-wording', arg, fullContexts, 'vllm');
      const message = seenFullContexts[server].example;
      const openai = { type: 'BadRequestError', param: null, code: 400 };
      return { head: (head, context) => refuse(head, context, 400, { message, openai }) };
    },
  },
  {
    name: 'quota-wording',
    args: '[SERVER]',
    choices: unpaid,
    summary:
      'Nobody paid, told with the status and in the words of SERVER (default openai): 200, 400, 402, 403, 413 or 429.',
    wires: overHttp,
    lossy: true,
    create: (arg) => {
      const server = oneOf('quota-wording', arg, unpaid, 'openai');
      const { status, body } = seenUnpaid[server];
      return {
        head: (head, context) => {
          refuse(head, context, status);
          head.body = JSON.stringify(body);
        },
      };
    },
  },
];
