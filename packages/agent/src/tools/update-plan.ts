import { z } from 'zod';
import type { PlanStep } from '../events.ts';
import { textOfPlan } from '../plan-text.ts';
import { defineTool, ToolInputError, type AgentTool } from '../tool.ts';

const MAX_STEPS = 50;
const MAX_CHARS = 500;

const schema = z.strictObject({
  explanation: z.string().optional().describe('Why the plan changes.'),
  plan: z
    .array(
      z.strictObject({
        step: z.string().trim().min(1).max(MAX_CHARS),
        status: z.enum(['pending', 'in_progress', 'completed']),
      }),
    )
    .max(MAX_STEPS)
    .describe('The whole plan, in order. At most one step is in_progress. An empty one takes the plan away.'),
});

/** `update_plan`: what the model is about to do, in steps, for itself and for the person. Codex' own name and arguments. */
export function createUpdatePlanTool(): AgentTool {
  return defineTool({
    name: 'update_plan',
    description:
      'Keeps the plan of work that takes several steps. Call it with the whole plan whenever a step begins or ends.',
    kind: 'other',
    schema,
    parallel: false,
    plan({ plan }) {
      if (plan.filter(({ status }) => status === 'in_progress').length > 1)
        throw new ToolInputError('at most one step of a plan is in_progress');
      return Promise.resolve({
        title: titleOf(plan),
        steps: plan,
        run: () => Promise.resolve({ output: textOfPlan(plan), ok: true }),
      });
    },
  });
}

function titleOf(plan: readonly PlanStep[]): string {
  const done = plan.filter(({ status }) => status === 'completed').length;
  const now = plan.find(({ status }) => status === 'in_progress');
  return plan.length === 0
    ? 'no plan'
    : `plan, ${done} of ${plan.length} done${now === undefined ? '' : `: ${now.step}`}`;
}
