import type { PlanStep } from './events.ts';

const MARKS = { pending: '[ ]', in_progress: '[>]', completed: '[x]' } as const;

/** A line for each step, for the model and for people. */
export function textOfPlan(plan: readonly PlanStep[]): string {
  return plan.length === 0 ? '(no plan)' : plan.map(({ step, status }) => `${MARKS[status]} ${step}`).join('\n');
}
