import { isObject, nonEmpty, stringOf, type JsonObject } from '../base/json.ts';
import { readError, readErrorBesideChoices } from '../model/classify.ts';
import { ModelError } from '../model/errors.ts';
import type { EndedBy, Usage } from '../model/events.ts';
import { errorOfCut, type Cut } from '../cut.ts';
import { finishClass, isOwnWord } from '../dialects/finish-reasons.ts';
import { usageIn } from '../dialects/usage-names.ts';
import { reasoningFields, reasoningOf } from '../dialects/reasoning-shapes.ts';
import type { TextRoute } from '../sse/templates.ts';
import { ChoiceMachine, hasCalls, type Choice } from './choice-machine.ts';
import { eachPart, fragmentsOf } from './delta.ts';
import { onlyTextOf } from './only-text.ts';
import { templateRules } from './template-rules.ts';
import { overallFinish } from './finish.ts';
import { usageFromChat } from './usage.ts';

const BRACE = 123;

/** Members of a delta that are no reasoning, no state and nothing beside the text. */
const OWN_MEMBERS: ReadonlySet<string> = new Set(['role', 'content', 'refusal', 'tool_calls', 'function_call']);

function hasOnly(object: JsonObject, names: ReadonlySet<string>): boolean {
  for (const name in object) if (!names.has(name)) return false;
  return true;
}

/**
 * Chat Completions chunks -> canonical events: the rules of docs/contract.md section 3, one method per step.
 *
 * `streaming` until every choice seen has its finish_reason; then its items go out and, if usage was asked for and has
 * not come, `awaiting_usage`, where only usage, a sentinel or the end is looked at. Who drives the machine waits for that,
 * and gives up (`packages/wire/src/read/usage-grace.ts`); a failure meanwhile ends the answer well, too.
 */
export class ChatMachine extends ChoiceMachine {
  readonly wire = 'chat';
  readonly templateRules = templateRules;
  #created = false;
  #responseId: string | undefined;
  #usage: Usage | undefined;
  /** It came with the last chunk. */
  #isUsageNew = false;
  /** Why the finish stands for an error: told when the wait for usage is over. */
  #cut: Cut | undefined;

  protected isSentinel(data: string): boolean {
    if (data.charCodeAt(0) === BRACE) return false;
    const trimmed = data.trim();
    if (trimmed === 'DONE') this.repaired('bare_sentinel');
    return trimmed === '[DONE]' || trimmed === 'DONE';
  }

  protected onSentinel(): void {
    if (this.finished) this.completeFinished();
    else this.#settle('sentinel');
  }

  onClose(): void {
    if (this.finished) this.completeFinished();
    else if (this.options.onClose === 'complete') this.#settle('close');
    else {
      this.fail(
        new ModelError({
          kind: 'stream_truncated',
          message: 'stream closed before finish_reason: the answer was cut off',
        }),
      );
    }
  }

  protected onBody(body: JsonObject): void {
    this.onObject(body);
    if (this.phase !== 'ended') this.onClose();
  }

  onObject(chunk: JsonObject): void {
    this.#isUsageNew = false;
    if (this.finished) {
      if (this.#readUsage(chunk)) this.completeFinished();
      return;
    }
    this.#responseId ??= stringOf(chunk['id']);
    const choices = chunk['choices'];
    const error = Array.isArray(choices) ? readErrorBesideChoices(chunk) : readError(chunk);
    if (error !== undefined) {
      this.fail(error);
      return;
    }
    if (Array.isArray(choices)) this.#readChoices(choices);
    else if (!isObject(usageIn(chunk))) this.skip();
    if (this.phase === 'ended') return;
    const usage = usageIn(chunk);
    if (usage !== undefined && usage !== null) this.#takeUsage(usage);
    if (chunk['citations'] !== undefined) this.beside.readChunk(chunk);
    if (this.unfinished === 0 && this.choices.size > 0) this.#finish();
  }

  routeOf(chunk: JsonObject): TextRoute | undefined {
    const said = onlyTextOf(chunk);
    if (said === undefined) return undefined;
    const { kind, choice, fragment } = said;
    switch (kind) {
      case 'content':
        return (text) => {
          if (text !== '' && !this.finished) this.onText(this.choiceAt(choice['index'], 0), text);
        };
      case 'reasoning':
        return (text) => {
          if (text !== '' && !this.finished) this.onReasoning(this.choiceAt(choice['index'], 0), text);
        };
      case 'input':
        return (text) => {
          if (!this.finished) this.onMoreInput(this.choiceAt(choice['index'], 0), fragment['index'], text);
        };
    }
  }

  #readChoices(choices: readonly unknown[]): void {
    if (!this.#created) {
      this.#created = true;
      this.emit({ type: 'created', ...(this.#responseId === undefined ? {} : { response_id: this.#responseId }) });
    }
    for (let place = 0; place < choices.length; place++) {
      const value = choices[place];
      if (!isObject(value)) continue;
      const error = value['error'] === undefined ? undefined : readErrorBesideChoices(value);
      if (error !== undefined) {
        this.fail(error);
        return;
      }
      this.#readChoice(value, place);
    }
  }

  #readChoice(value: JsonObject, place: number): void {
    const choice = this.choiceAt(value['index'], place);
    if (isObject(value['logprobs'])) choice.logprobs.read(value['logprobs']);
    const delta = value['delta'];
    if (isObject(delta)) this.#readDelta(choice, delta);
    const message = value['message'];
    if (isObject(message)) this.#readMessage(choice, message);
    if (value['usage'] !== undefined) this.#takeUsageOf(value);
    const finish = value['finish_reason'];
    if (finish !== null && finish !== undefined) this.#readFinish(choice, finish);
  }

  #readFinish(choice: Choice, given: unknown): void {
    if (given === '') this.repaired('empty_finish_reason');
    const finish = nonEmpty(given);
    if (finish === undefined || choice.finish !== undefined) return;
    if (!isOwnWord(finish)) {
      this.repaired(finishClass(finish) === 'other' ? 'unknown_finish' : 'finish_reason_spelling');
    }
    choice.finish = finish;
    this.unfinished--;
  }

  #readDelta(choice: Choice, delta: JsonObject): void {
    // Most deltas have but one of the wire's own members: they are not asked for each of those that some server has.
    const isPlain = hasOnly(delta, OWN_MEMBERS);
    if (!isPlain) {
      choice.state.take(delta);
      const reasoning = reasoningOf(delta);
      if (reasoning !== '') this.onReasoning(choice, reasoning);
    }
    const content = delta['content'];
    if (typeof content === 'string') {
      if (content !== '') this.onText(choice, content);
    } else if (content !== null && content !== undefined) {
      this.repaired('content_parts');
      this.#readParts(choice, content);
    }
    const refusal = delta['refusal'];
    if (typeof refusal === 'string' && refusal !== '') this.onRefusal(choice, refusal);
    if (!isPlain) this.beside.readDelta(choice.index, delta);
    const fragments = fragmentsOf(delta);
    if (fragments.length === 0) return;
    if (fragments !== delta['tool_calls']) this.repaired('function_call');
    this.onFragments(choice, fragments);
  }

  #readParts(choice: Choice, content: unknown): void {
    eachPart(content, {
      onText: (text) => {
        if (text !== '') this.onText(choice, text);
      },
      onReasoning: (text) => {
        if (text !== '') this.onReasoning(choice, text);
      },
      onOther: (part) => this.beside.readPart(part),
    });
  }

  /** A whole message counts only for the kinds of which its choice streamed nothing (docs/contract.md 3.9). */
  #readMessage(choice: Choice, message: JsonObject): void {
    this.repaired('message_for_delta');
    const told = new Set<string>([
      ...(choice.reasoning === undefined ? [] : reasoningFields),
      ...(choice.message === undefined || choice.message.text.length === 0 ? [] : ['content', 'extra_content']),
      ...(choice.message === undefined || choice.message.refusal.length === 0 ? [] : ['refusal']),
      ...(this.beside.hasAnnotations(choice.index) ? ['annotations'] : []),
      ...(hasCalls(choice) ? ['tool_calls', 'function_call'] : []),
    ]);
    const delta = Object.fromEntries(Object.entries(message).filter(([field]) => !told.has(field)));
    this.#readDelta(choice, delta);
  }

  /** After the finish: usage of the chunk, or of one of its choices. Answers whether there was one. */
  #readUsage(chunk: JsonObject): boolean {
    const choices = chunk['choices'];
    if (Array.isArray(choices)) {
      for (const choice of choices) if (isObject(choice)) this.#takeUsageOf(choice);
    }
    this.#takeUsage(usageIn(chunk));
    return this.#isUsageNew;
  }

  #takeUsageOf(choice: JsonObject): void {
    if (isObject(choice['usage'])) this.repaired('usage_in_choice');
    this.#takeUsage(choice['usage']);
  }

  #takeUsage(value: unknown): void {
    const usage = value === null || value === undefined ? undefined : usageFromChat(value);
    if (usage === undefined) return;
    this.#usage = usage;
    this.#isUsageNew = true;
  }

  #finish(): void {
    this.#cut = this.closeItems();
    const { usageAsked, usageBehind } = this.options;
    const hasUsage = usageBehind === true ? this.#isUsageNew : this.#usage !== undefined;
    if (usageAsked === true && !hasUsage && this.#wantsUsage(this.#cut)) this.phase = 'awaiting_usage';
    else this.completeFinished();
  }

  /** A failure is told at once; usage tells whose limit it was that nobody set. */
  #wantsUsage(cut: Cut | undefined): boolean {
    if (cut === undefined) return true;
    if (cut.class === 'failed') return false;
    return this.options.usageOfCut === true || (cut.class === 'limit' && this.options.tokenLimit !== true);
  }

  /** A sentinel, or a close that counts as one, ends what has no finish_reason. */
  #settle(endedBy: EndedBy): void {
    this.repaired(endedBy === 'sentinel' ? 'no_finish_reason' : 'no_end');
    this.#cut = this.closeItems();
    if (this.#cut === undefined) this.#complete(endedBy);
    else this.completeFinished();
  }

  protected completeFinished(): void {
    if (this.#cut === undefined) this.#complete('finish_reason');
    else this.failNow(this.#errorOf(this.#cut));
  }

  #errorOf(cut: Cut): ModelError {
    const { tokenLimit = false, contextWindow } = this.options;
    return errorOfCut(cut, { tokenLimit, contextWindow, usage: this.#usage }).with({ usage: this.#usage });
  }

  #complete(endedBy: EndedBy): void {
    const failure = this.beside.failureWithout(this.saidSomething());
    if (failure !== undefined) {
      this.failNow(failure);
      return;
    }
    const finish = overallFinish([...this.choices.values()]);
    this.emit({
      type: 'completed',
      response_id: this.#responseId ?? '',
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
      ...(finish === undefined ? {} : { finish_reason: finish }),
      ended_by: endedBy,
      ...(this.dropped.length === 0 ? {} : { dropped_tool_calls: this.dropped }),
      ...(this.beside.notCarried.length === 0 ? {} : { not_carried: this.beside.notCarried }),
    });
    this.end();
  }
}
