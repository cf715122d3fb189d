import type { PromptCommand } from '@turnwire/agent/internal/project/prompt-commands';
import type { AssistantMessage, Item } from '@turnwire/wire/internal/model/items';
import { hasChoices } from './choices.ts';
import type { ChatTurns } from './chat-turns.ts';
import type { ChatView } from './chat-view.ts';
import { helpText } from './commands.ts';
import type { Conversation } from './conversation.ts';
import { costText, factsText } from './status-text.ts';
import { screenText } from './text.ts';
import { textOfMessage } from './view-answer.ts';
import type { Fact } from './view-state.ts';

const isAnswer = (item: Item): item is AssistantMessage => item.type === 'message' && item.role === 'assistant';

export interface ChatCommandsOptions {
  readonly talk: Conversation;
  readonly turns: ChatTurns;
  readonly view: ChatView;
  readonly leave: () => void;
  /** Where and with whom one talks. */
  readonly status: () => readonly Fact[];
  /** What there is to choose from after a command. */
  readonly choices: (name: string) => Promise<readonly unknown[]>;
  /** Lets the person choose: the line of the command, and the list of its completions. */
  readonly pick: (name: string) => void;
  /** Shows a text in the person's pager. */
  readonly page: (text: string) => void;
  /** Commands that are prompts, for `/help`. */
  readonly prompts: readonly PromptCommand[];
}

/** Does what a line says that begins with a slash. */
export class ChatCommands {
  readonly #options: ChatCommandsOptions;

  constructor(options: ChatCommandsOptions) {
    this.#options = options;
  }

  run(name: string, argument: string): void {
    const { talk, turns, view, leave, status } = this.#options;
    if (name === 'help') view.notice('info', helpText(this.#options.prompts));
    else if (name === 'cost') view.notice('info', costText(view.state, talk.agent?.usage));
    else if (name === 'status') view.notice('info', factsText(status()));
    else if (name === 'exit') leave();
    else if (name === 'output') this.showOutput(argument);
    else if (name === 'answer') this.#showAnswer();
    else if (turns.isBusy) view.notice('warning', `/${name} has to wait: Esc stops what is running.`);
    else turns.do(() => this.#change(name, argument));
  }

  async #undo(): Promise<void> {
    const title = await this.#options.talk.agent?.undo();
    this.#options.view.notice(
      'info',
      title === undefined ? 'There is no patch to take back.' : `Taken back: ${title}.`,
    );
  }

  /** What a tool printed, in the pager: the latest, or the `argument`th from the end. */
  showOutput(argument: string): void {
    const { view, page } = this.#options;
    const { outputs } = view.state;
    const output = outputs.at(-Number(argument === '' ? 1 : argument));
    if (output !== undefined && /^[1-9]\d*$|^$/.test(argument)) page(`${output.title}\n\n${output.text}`);
    else if (outputs.length === 0) view.notice('info', 'No tool has run yet.');
    else view.notice('warning', `There are the outputs 1 (the latest) to ${outputs.length}.`);
  }

  /** A pager breaks no line: a long address is copied whole. */
  #showAnswer(): void {
    const { talk, view, page } = this.#options;
    const answer = talk.agent?.items.findLast(isAnswer);
    if (answer === undefined) view.notice('info', 'There is no answer yet.');
    else page(screenText(textOfMessage(answer)));
  }

  async #change(name: string, argument: string): Promise<void> {
    const { talk, turns, choices, pick } = this.#options;
    if (argument === '' && hasChoices(name) && (await choices(name).catch(() => [])).length > 0) {
      pick(name);
      return;
    }
    switch (name) {
      case 'model':
        await talk.setModel(argument);
        return;
      case 'provider':
        await talk.setProvider(argument);
        return;
      case 'new':
        await talk.open({ type: 'new' });
        return;
      case 'resume':
        await talk.resume(argument);
        return;
      case 'fork':
        await talk.fork();
        return;
      case 'undo':
        await this.#undo();
        return;
      case 'compact':
        if (talk.agent !== undefined) await turns.show(talk.agent.compact());
        return;
    }
  }
}
