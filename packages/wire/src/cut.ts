import { finishClass, type FinishClass } from './dialects/finish-reasons.ts';
import { ModelError } from './model/errors.ts';
import type { Usage } from './model/usage.ts';

/** Classes that end a response in an error, worst first (docs/contract.md 3.3 and 3.6). */
const CUTTING = ['filter', 'full_context', 'limit', 'failed'] as const satisfies readonly FinishClass[];

/** Why an answer was cut, as its finish tells it. */
export interface Cut {
  readonly class: (typeof CUTTING)[number];
  /** The server's own word. */
  readonly reason: string;
}

/** The worst of the finishes that stand for an error, if any does. */
export function cutOf(finishes: readonly (string | undefined)[]): Cut | undefined {
  for (const cutting of CUTTING) {
    const reason = finishes.find((finish) => finish !== undefined && finishClass(finish) === cutting);
    if (reason !== undefined) return { class: cutting, reason };
  }
  return undefined;
}

/** What tells the causes of a limit apart. */
export interface LimitFacts {
  /** The request set a limit on tokens. */
  readonly tokenLimit: boolean;
  /** Tokens that fit into the model's context window, where that is known. */
  readonly contextWindow: number | undefined;
  readonly usage: Usage | undefined;
}

/** So full is a window that a limit nobody set is taken for its end. */
const FULL = 0.95;

/** The error that a cut stands for. */
export function errorOfCut({ class: cutting, reason }: Cut, facts: LimitFacts): ModelError {
  switch (cutting) {
    case 'filter':
      return new ModelError({
        kind: 'content_filter',
        code: 'content_filter',
        message: `the server's content filter stopped the answer${inItsWords(reason, 'content_filter')}`,
      });
    case 'failed':
      return new ModelError({
        kind: 'server_error',
        code: reason,
        message: `the server ended the answer with finish_reason ${JSON.stringify(reason)}`,
      });
    case 'full_context':
      return contextFull();
    case 'limit':
      return facts.tokenLimit || !isWindowFull(facts) ? atLimit(facts) : contextFull();
  }
}

function inItsWords(reason: string, usual: string): string {
  return reason === usual ? '' : ` (finish_reason ${JSON.stringify(reason)})`;
}

/** A limit that the request did not set is the window's where usage is unknown, or fills the window. */
function isWindowFull({ usage, contextWindow }: LimitFacts): boolean {
  if (usage === undefined) return true;
  return contextWindow !== undefined && usage.total_tokens >= contextWindow * FULL;
}

function contextFull(): ModelError {
  return new ModelError({
    kind: 'context_window_exceeded',
    message: 'the conversation does not fit into the context window of the model',
  });
}

function atLimit({ tokenLimit, usage }: LimitFacts): ModelError {
  const tokens = usage === undefined ? '' : ` (${usage.output_tokens} tokens of output, ${usage.total_tokens} in all)`;
  return new ModelError({
    kind: 'incomplete',
    code: 'max_output_tokens',
    message: tokenLimit
      ? 'the answer reached the token limit of the request'
      : `the server stopped at a token limit that the request did not set${tokens}`,
  });
}
