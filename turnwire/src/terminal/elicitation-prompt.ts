import type { Clock } from '@turnwire/wire/internal/base/clock';
import type {
  ElicitationAnswer,
  ElicitationField,
  ElicitationRequest,
  ElicitationValue,
  Elicitor,
} from '@turnwire/agent/internal/approval/elicitation';
import { GUARD_MS, meaningOf, type PromptChoice } from './choice-keys.ts';
import { parseFieldAnswer } from './field-answer.ts';
import type { LineEnd, LineTaker } from './line-taker.ts';

/** A question of an MCP server, and how far its answer is. */
export interface OpenElicitation {
  readonly request: ElicitationRequest;
  readonly choices: readonly PromptChoice[];
  readonly selected: number;
  /** What was filled in, by the names of the fields. */
  readonly values: Readonly<Record<string, ElicitationValue>>;
  /** The field that the input line is for: its place among them, and what was wrong with the last line. */
  readonly filling: { readonly field: ElicitationField; readonly at: number; readonly problem: string } | undefined;
}

interface Waiting extends OpenElicitation {
  /** When it was shown as it is. */
  readonly since: number;
  readonly answer: (answer: ElicitationAnswer) => void;
}

const NO_CHOICES: readonly PromptChoice[] = [
  { key: 'n', label: 'no' },
  { key: 'c', label: 'cancel: no decision' },
];
const SEND: readonly PromptChoice[] = [{ key: 'y', label: 'send this' }, { key: 'r', label: 'again' }, ...NO_CHOICES];

/**
 * What an MCP server wants to know: a yes or no, or a form whose fields are lines. What was filled in is shown before it is
 * sent. It ends with its answer or its signal.
 */
export class ElicitationPrompt implements LineTaker {
  #waiting: Waiting | undefined;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #askLines: () => void;

  /** `askLines`: the next lines that are typed are for `take`. */
  constructor(options: { readonly clock: Clock; readonly changed: () => void; readonly askLines: () => void }) {
    this.#clock = options.clock;
    this.#changed = options.changed;
    this.#askLines = options.askLines;
  }

  get question(): OpenElicitation | undefined {
    return this.#waiting;
  }

  readonly elicitor: Elicitor = {
    modes: ['form', 'url'],
    ask: (request, { signal }) =>
      new Promise<ElicitationAnswer>((resolve) => {
        const end = (answer: ElicitationAnswer): void => {
          signal.removeEventListener('abort', onAbort);
          if (this.#waiting?.request === request) this.#waiting = undefined;
          this.#changed();
          resolve(answer);
        };
        const onAbort = (): void => end({ action: 'cancel' });
        signal.addEventListener('abort', onAbort, { once: true });
        const asked = { request, choices: firstChoices(request), selected: 0, values: {}, filling: undefined };
        this.#show({ ...asked, since: 0, answer: end });
        if (signal.aborted) onAbort();
      }),
  };

  /** True when the key was for the question. */
  handleKey(data: string): boolean {
    const waiting = this.#waiting;
    const meant = waiting && meaningOf(data, waiting.choices, waiting.selected);
    if (waiting === undefined || meant === undefined) return false;
    if (meant.type === 'select') this.#waiting = { ...waiting, selected: meant.at };
    else if (this.#clock.now() - waiting.since >= GUARD_MS) this.#choose(waiting, waiting.choices[meant.at]?.key);
    this.#changed();
    return true;
  }

  take(line: string): LineEnd {
    const waiting = this.#waiting;
    if (waiting?.filling === undefined) return 'gone';
    const { field, at } = waiting.filling;
    if (line === '' && this.#clock.now() - waiting.since < GUARD_MS) return 'more';
    const answer = parseFieldAnswer(field, line);
    if (answer.type === 'problem') {
      this.#show({ ...waiting, filling: { field, at, problem: answer.problem } });
      return 'more';
    }
    const values = answer.type === 'value' ? { ...waiting.values, [field.name]: answer.value } : waiting.values;
    return this.#fill({ ...waiting, values }, at + 1);
  }

  leave(): void {
    if (this.#waiting === undefined) return;
    const choices = firstChoices(this.#waiting.request);
    this.#show({ ...this.#waiting, filling: undefined, choices, values: {}, selected: 0 });
  }

  #choose(waiting: Waiting, key: string | undefined): void {
    const { request, choices, values, answer } = waiting;
    const fields = request.mode === 'form' ? request.fields : [];
    if (key === 'n') answer({ action: 'decline' });
    else if (key === 'c') answer({ action: 'cancel' });
    else if (fields.length > 0 && (key === 'r' || choices !== SEND)) {
      this.#fill({ ...waiting, values: {} }, 0);
      this.#askLines();
    } else answer({ action: 'accept', ...(request.mode === 'form' ? { content: values } : {}) });
  }

  /** Asks for the field at a place, and behind the last one whether all of it may be sent. */
  #fill(waiting: Waiting, at: number): LineEnd {
    const field = waiting.request.mode === 'form' ? waiting.request.fields[at] : undefined;
    const filling = field && { field, at, problem: '' };
    this.#show({ ...waiting, filling, ...(filling === undefined ? { choices: SEND, selected: 0 } : {}) });
    return field === undefined ? 'taken' : 'more';
  }

  #show(waiting: Waiting): void {
    this.#waiting = { ...waiting, since: this.#clock.now() };
    this.#changed();
  }
}

function firstChoices(request: ElicitationRequest): readonly PromptChoice[] {
  return [{ key: 'y', label: yesText(request) }, ...NO_CHOICES];
}

function yesText(request: ElicitationRequest): string {
  if (request.mode === 'url') return request.isRequired ? 'done there: call it again' : 'yes, I open it';
  const { length } = request.fields;
  return length === 0 ? 'yes' : `answer it (${length === 1 ? 'one line' : `${length} lines`})`;
}
