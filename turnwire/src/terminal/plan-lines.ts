import type { PlanStep } from '@turnwire/agent/internal/events';
import { fit, type CellLook } from './cell-look.ts';

/** The model's plan as a list with ticks, a row for each step. Of a longer one `most` steps, with the first that is not done. */
export function planLines(
  steps: readonly PlanStep[],
  { theme, width }: Pick<CellLook, 'theme' | 'width'>,
  most = Infinity,
): string[] {
  const looks = {
    completed: { mark: theme.green('✓'), style: theme.dim },
    in_progress: { mark: theme.yellow('▸'), style: theme.bold },
    pending: { mark: theme.dim('○'), style: theme.dim },
  } as const;
  const done = steps.filter(({ status }) => status === 'completed').length;
  const rows = stepsAround(steps, most).map(({ step, status }) => {
    const { mark, style } = looks[status];
    return `  ${mark} ${style(fit(step, width - INDENT))}`;
  });
  return [theme.dim(`Plan · ${done} of ${steps.length} done`), ...rows].map((line) => fit(line, width));
}

/** Columns before a step. */
const INDENT = 4;

function stepsAround(steps: readonly PlanStep[], most: number): readonly PlanStep[] {
  const next = steps.findIndex(({ status }) => status !== 'completed');
  const from = Math.max(0, Math.min(next - 1, steps.length - most));
  return steps.slice(from, from + most);
}
