import type { ToolCell, ViewState } from './view-state.ts';

/** What happens now, for the status line. */
export interface Activity {
  readonly text: string;
  /** Since when, in milliseconds of the view's clock; absent where nobody counts: a person takes the time they need. */
  readonly since: number | undefined;
}

/** `undefined` when nothing happens. What is longest under way and waits for nobody comes first. */
export function activityOf(state: ViewState): Activity | undefined {
  if (state.phase === 'idle') return undefined;
  if (state.asked !== undefined) return { text: 'waiting for you', since: undefined };
  const running = state.cells.filter((cell): cell is ToolCell => cell.type === 'tool' && cell.state === 'running');
  const [first] = running;
  if (first === undefined) return { text: state.phase, since: state.phaseAt };
  const more = running.length === 1 ? '' : ` and ${running.length - 1} more`;
  return { text: `running ${first.isOwn === true ? 'your command' : first.name}${more}`, since: first.runningSince };
}
