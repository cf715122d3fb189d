import type { ElicitationField } from '@turnwire/agent/internal/approval/elicitation';
import { visible } from '@turnwire/wire/internal/base/printable';
import type { QueuedMessage } from '@turnwire/agent/internal/turn/steering-queue';
import { approvalChoices, type OpenQuestion } from './approval-prompt.ts';
import type { PromptChoice } from './choice-keys.ts';
import { fit } from './cell-look.ts';
import type { OpenElicitation } from './elicitation-prompt.ts';
import { describeField } from './field-answer.ts';
import { wrapTextWithAnsi } from './pi-tui.ts';
import { planLines } from './plan-lines.ts';
import { boundLines, oneLine, shortCount, shortTime } from './text.ts';
import type { Theme } from './theme.ts';
import { contextText, whoAnswers } from './status-text.ts';
import { activityOf } from './view-activity.ts';
import type { ViewState } from './view-state.ts';

/** What stands between the transcript and the input line, and below it. */
export interface BottomView {
  readonly view: ViewState;
  readonly queue: readonly QueuedMessage[];
  readonly question: OpenQuestion | undefined;
  /** Of an MCP server; never beside another question. */
  readonly elicitation: OpenElicitation | undefined;
  /** The input line takes the reason of a denial. */
  readonly asksWhy: boolean;
  /** There is text in the input line: keys are text. */
  readonly isTyping: boolean;
  /** Of the terminal. */
  readonly rows: number;
  readonly provider: string;
  readonly model: string | undefined;
  /** Tokens. */
  readonly contextWindow: number | undefined;
  /** For people. */
  readonly folder: string | undefined;
  /** Instead of the status, e.g. `Ctrl-C again to leave`. */
  readonly hint: string | undefined;
  /** Milliseconds of the view's clock. */
  readonly now: number;
}

const QUEUE_SHOWN = 4;
const RULES_SHOWN = 3;
const GUTTER = '  │ ';

/** What is asked, all of it as far as half the screen holds it, and the answers. */
export function questionLines(bottom: BottomView, theme: Theme, width: number): string[] {
  const { question, elicitation } = bottom;
  if (elicitation !== undefined) return elicitationLines(elicitation, bottom, theme, width);
  if (question === undefined) return [];
  const { name, title, reason, rules } = question.request;
  const why = bottom.asksWhy ? 'Why not? Enter sends it, Esc goes back.' : undefined;
  const lines = [
    '',
    ...askedLines(wrapStrange(`? Run ${name}: ${title}`, width), rowsFor(bottom), theme),
    ...wrapStrange(reason, width).slice(0, 4).map(theme.dim),
    ...ruleLines(rules).map(theme.dim),
    ...answerLines(approvalChoices, question.selected, why, bottom, theme),
  ];
  return lines.map((line) => fit(line, width));
}

/** Half the screen at most. */
function rowsFor({ rows }: BottomView): number {
  return Math.max(3, Math.floor(rows / 2) - 4);
}

function askedLines(rows: readonly string[], most: number, theme: Theme): string[] {
  const { head, omitted } = boundLines(rows, most, 0);
  const more = omitted === 0 ? [] : [theme.red(`… ${omitted} more lines than this terminal shows`)];
  return [...head.map(theme.yellow), ...more];
}

function elicitationLines(open: OpenElicitation, bottom: BottomView, theme: Theme, width: number): string[] {
  const { request, filling, choices, selected } = open;
  const asked = `? The MCP server ${request.server} asks: ${request.message}`.split('\n');
  const about = filling === undefined ? answerSoFar(open) : fieldTexts(filling.field);
  const [at, count] = [(filling?.at ?? 0) + 1, request.mode === 'form' ? request.fields.length : 0];
  const line = filling && `${at} of ${count}. Enter takes the line, Esc goes back.`;
  const problem = filling?.problem ?? '';
  const lines = [
    '',
    ...messageAndRest(
      asked.flatMap((text, n) => strangeRows(text, n, width)),
      about.flatMap((text) => strangeRows(text, 1, width)),
      bottom,
      theme,
    ),
    ...(problem === '' ? [] : [theme.red(problem)]),
    ...answerLines(choices, selected, line, bottom, theme),
  ];
  return lines.map((each) => fit(each, width));
}

/** However long a server's message is, what the answer is about stands below it: an address, a field, what would be sent. */
function messageAndRest(
  message: readonly string[],
  rest: readonly string[],
  bottom: BottomView,
  theme: Theme,
): string[] {
  const most = rowsFor(bottom);
  const forRest = Math.min(rest.length, most - 1);
  return [...askedLines(message, most - forRest, theme), ...askedLines(rest, forRest, theme)];
}

function strangeRows(text: string, at: number, width: number): string[] {
  return at === 0 ? wrapStrange(text, width) : wrapStrange(text, width).map((row, n) => (n === 0 ? GUTTER + row : row));
}

/** The address, or what was filled in. */
function answerSoFar({ request, values }: OpenElicitation): string[] {
  if (request.mode === 'url') return [request.url];
  const filled = request.fields.filter(({ name }) => Object.hasOwn(values, name));
  return filled.map(({ name, title }) => `${title}: ${String(values[name])}`);
}

function fieldTexts(field: ElicitationField): string[] {
  const { title, description } = field;
  const how = describeField(field);
  return [`${title}${how === '' ? '' : ` (${how})`}`, ...(description === undefined ? [] : [description])];
}

/** However a stranger's text is wrapped: none of its rows begins where rows of ours begin. */
function wrapStrange(text: string, width: number): string[] {
  const rows = wrapTextWithAnsi(visible(text), Math.max(1, width - GUTTER.length));
  return rows.map((row, at) => (at === 0 ? row : GUTTER + row));
}

function ruleLines(rules: readonly string[]): string[] {
  if (rules.length === 0) return [];
  const shown = rules.slice(0, RULES_SHOWN).map((rule) => `  ${visible(rule)}`);
  const more = rules.length > RULES_SHOWN ? [`  … and ${rules.length - RULES_SHOWN} more`] : [];
  return ['“This session” would allow exactly:', ...shown, ...more];
}

/** `line`: how to go on where the input line takes the answer. */
function answerLines(
  choices: readonly PromptChoice[],
  selected: number,
  line: string | undefined,
  { isTyping }: BottomView,
  theme: Theme,
): string[] {
  if (line !== undefined) return [theme.yellow(line)];
  if (isTyping) return [theme.yellow('To answer, send or clear your line first.')];
  return choices.map(({ key, label }, at) => {
    const text = `${at === selected ? '›' : ' '} ${key}  ${label}`;
    return at === selected ? theme.bold(text) : text;
  });
}

/** The plan that the model works at, in at most a quarter of the screen. A question stands alone, below what it is about. */
export function currentPlanLines(
  { view, question, elicitation, rows }: BottomView,
  theme: Theme,
  width: number,
): string[] {
  const { plan } = view;
  if (plan.length === 0 || question !== undefined || elicitation !== undefined) return [];
  return ['', ...planLines(plan, { theme, width }, Math.max(2, Math.floor(rows / 4) - 1))];
}

export function queueLines({ queue }: BottomView, theme: Theme, width: number): string[] {
  if (queue.length === 0) return [];
  const lines = queue.slice(-QUEUE_SHOWN).map(({ text }) => fit(theme.dim(`  ⧗ ${oneLine(text, 300)}`), width));
  const more = queue.length > QUEUE_SHOWN ? [theme.dim(`  … ${queue.length - QUEUE_SHOWN} before`)] : [];
  return ['', fit(theme.dim('Queued (Up edits the last):'), width), ...more, ...lines];
}

/** One line: what happens, how fast, what it cost, who answers. */
export function statusLine(bottom: BottomView, theme: Theme, width: number): string {
  const { view, hint, provider, model, contextWindow, folder, now } = bottom;
  if (hint !== undefined) return fit(theme.yellow(hint), width);
  if (view.retry !== undefined) return fit(theme.yellow(retryText(view)), width);
  const context = contextText(view.usage, contextWindow);
  const parts = [
    phaseText(view, now),
    ...meterParts(view),
    ...usageParts(view),
    ...(context === undefined ? [] : [context]),
    visible(whoAnswers(provider, model)),
    visible(folder ?? ''),
  ];
  return theme.dim(fit(parts.filter((part) => part !== '').join(' · '), width));
}

function retryText({ retry }: ViewState): string {
  if (retry === undefined) return '';
  return `Reconnecting ${retry.attempt}/${retry.max} … (${retry.error.kind}, in ${shortTime(retry.delay_ms)})`;
}

function phaseText(view: ViewState, now: number): string {
  const activity = activityOf(view);
  if (activity === undefined) return '';
  const { text, since } = activity;
  return `${text}${since === undefined ? '' : ` ${Math.floor((now - since) / 1000)}s`} (esc)`;
}

function meterParts({ meter }: ViewState): string[] {
  const ttft = meter.ttftMs === undefined ? [] : [`TTFT ${shortTime(meter.ttftMs)}`];
  const speed = meter.tokensPerSecond === undefined ? [] : [`${Math.round(meter.tokensPerSecond)} tok/s`];
  return [...ttft, ...speed];
}

function usageParts({ usage }: ViewState): string[] {
  if (usage === undefined) return [];
  const cached = usage.input_tokens_details.cached_tokens;
  const hits = cached === 0 ? '' : ` (${shortCount(cached)} cached)`;
  return [`${shortCount(usage.input_tokens)} in${hits} ${shortCount(usage.output_tokens)} out`];
}
