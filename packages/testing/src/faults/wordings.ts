import { fullContextWordings } from '@turnwire/wire/internal/dialects/full-context';
import { moneyWordings } from '@turnwire/wire/internal/dialects/money';
import { oneOf } from './args.ts';
import { overHttp, type FaultSpec } from './fault.ts';
import { refuse } from './refuse.ts';

const fullContexts = fullContextWordings.map(({ server }) => server);
const unpaid = moneyWordings.map(({ server }) => server);

/** Refusals in the words of their servers: the rows of the decoders' own tables. */
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
      const message = fullContextWordings.find((row) => row.server === server)?.example;
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
      const row = moneyWordings.find((one) => one.server === server);
      return {
        head: (head, context) => {
          if (row === undefined) return;
          refuse(head, context, row.status);
          head.body = JSON.stringify(row.body);
        },
      };
    },
  },
];
