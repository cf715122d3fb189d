/**
 * Money that is gone, in the words of the servers (docs/contract.md section 6): no waiting and no retry helps. The server names the row;
 * `seen/money.ts` has what it answers, and those whose code tells (`error-codes.ts`). OpenAI has no row: Gemini says the same of what a
 * minute allows.
 */
export const moneyWordings = {
  anthropic: /credit balance/i,
  openrouter: /\b(?:more|enough|no|out of|remaining) credits\b/i,
  deepseek: /insufficient (?:account )?(?:balance|quota|funds|credits?)/i,
  xai: /used all available credits|monthly spending limit/i,
  dashscope: /\barrears\b|\barrearage\b/i,
} as const satisfies Readonly<Record<string, RegExp>>;

/** True for a message that says that nobody paid, whatever the code and the status beside it. */
export function tellsNoMoney(message: string): boolean {
  return Object.values(moneyWordings).some((pattern) => pattern.test(message));
}

const DEMAND = /\blimit:? (\d+)\b.*\brequested:? (\d+)/i;

/**
 * True for a rate limit that no waiting helps: one request is larger than all that a minute allows. Without figures it is
 * 413 that says so.
 */
export function isOverAnyRate(message: string, status: number | undefined): boolean {
  const [, limit, requested] = DEMAND.exec(message) ?? [];
  return limit === undefined ? status === 413 : Number(requested) > Number(limit);
}
